import { describe, expect, it } from 'vitest';
import { refusalMeaning, refusalText } from '../../../../src/bgproutes/live/association/refusal.ts';

describe('a refusal', () => {
  it.each([
    'Another session is open for this API key',
    'another session uses this key',
    'Another client is already connected with this API key',
    'ANOTHER CONNECTION IS ACTIVE',
    'Duplicate session',
    'duplicate sessions are not allowed',
    'This API key already has an active session.',
    'A session already exists for this key',
    'Only one session per API key is allowed',
    'only one connection at a time',
    'Too many connections',
    'Too many active sessions for this key',
    'API key already in use',
    'key is being used by another client',
    'Multiple connections with the same API key are not permitted',
    'close code 1008: already connected',
    'close code 4009: concurrent session',
    'HTTP status 409',
    'HTTP status 409: Conflict',
    'HTTP status 403: key in use elsewhere: a second session was refused',
  ])('that says "%s" names another session', (text) => {
    expect(refusalMeaning(text)).toBe('another_session');
  });

  it.each([
    'Invalid API key',
    'No prefixes are associated with this API key',
    'API key has no prefixes',
    'Connection refused: the key has no prefix yet',
    'connection closed: one or more prefixes are invalid',
    'Your session has expired, no prefixes left',
    'Maintenance',
    'not you, [redacted]',
    'Unknown key',
    'HTTP status 403: Forbidden',
    'HTTP status 401',
    'close code 1008',
    '',
  ])('that says "%s" has another reason', (text) => {
    expect(refusalMeaning(text)).toBe('other');
  });

  it.each(['HTTP status 429', 'HTTP status 429: slow down', 'Rate limit exceeded', 'Too many requests'])(
    'that says "%s" asks for patience',
    (text) => {
      expect(refusalMeaning(text)).toBe('too_often');
    },
  );

  it('is read up to a bound, and with little work', () => {
    const long = `${'session '.repeat(200_000)}another`;
    const before = process.cpuUsage();
    expect(refusalMeaning(long)).toBe('other');
    expect(refusalMeaning(`no ${'x'.repeat(100_000)}`)).toBe('other');
    // Milliseconds; an expression that goes back and forth in the text would take hours.
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(2_000);
  });
});

describe('the text of a refusal', () => {
  it.each([
    ['{"error":"Invalid API key"}', 'Invalid API key'],
    ['{"error": "Invalid API key"}\n', 'Invalid API key'],
    ['  {\t"error" :"x", "code": 3}', 'x'],
    ['{"error":null}', 'null'],
  ])('is %s', (frame, text) => {
    expect(refusalText(Buffer.from(frame))).toBe(text);
  });

  it.each([
    ['a message', '{"error":"x","record_type":"update"}'],
    ['a key elsewhere', '{"record_type":"update","error":"x"}'],
    ['another key', '{"errors":"x"}'],
    ['cut', '{"error":"x"'],
    ['an array', '["error"]'],
    ['a string', '"error"'],
    ['not JSON', 'error'],
    ['an empty object', '{}'],
    ['three bytes', '{"e'],
    ['empty', ''],
    ['longer than a sentence', `{"error":"${'x'.repeat(20_000)}"}`],
  ])('is not: %s', (_name, frame) => {
    expect(refusalText(Buffer.from(frame))).toBeUndefined();
  });
});
