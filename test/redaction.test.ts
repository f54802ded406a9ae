import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorText, foreignText, MAX_FOREIGN_TEXT, redact, redactor } from '../src/redaction.ts';

describe('redact', () => {
  it('replaces every secret wherever it is', () => {
    expect(redact('key s3cret-1 and s3cret-2, s3cret-1', ['s3cret-1', 's3cret-2'])).toBe(
      'key [redacted] and [redacted], [redacted]',
    );
  });

  it('replaces it URL-encoded, in either case of the digits, and as a form has it', () => {
    const secret = 'k/y+ä b';
    for (const spelt of ['k/y+ä b', 'k%2Fy%2B%C3%A4%20b', 'k%2fy%2b%c3%a4+b', 'k/y%2Bä%20b']) {
      expect(redact(`at ${spelt} end`, [secret])).toBe('at [redacted] end');
    }
  });

  it('replaces it as in a JSON string', () => {
    const secret = 'a"b\\c';
    expect(redact(JSON.stringify({ text: secret }), [secret])).toBe('{"text":"[redacted]"}');
  });

  it('replaces the value of api_key, of whomever it is', () => {
    expect(redact('GET wss://host/?api_key=abc-def&x=1 failed', [])).toBe(
      'GET wss://host/?api_key=[redacted]&x=1 failed',
    );
    expect(redact('?API_KEY%3Dabc', [])).toBe('?API_KEY%3D[redacted]');
    expect(redact('api_keys=2', [])).toBe('api_keys=2');
  });

  it('takes the longest of secrets that hold each other, and nothing from its own replacement', () => {
    expect(redact('abc ab', ['ab', 'abc', 'redacted', 'd'])).toBe('[redacted] [redacted]');
  });

  it('ignores an empty secret', () => {
    expect(redact('text', [''])).toBe('text');
  });

  it('leaves no secret in any text, whatever both hold', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 12, maxLength: 40, unit: 'grapheme' }),
        fc.string({ maxLength: 20 }),
        fc.constantFrom(
          String,
          encodeURIComponent,
          (text: string) => JSON.stringify(text).slice(1, -1),
          (text: string) => new URLSearchParams({ k: text }).toString().slice(2),
        ),
        (secret, around, spell) => {
          fc.pre(!'[redacted]'.includes(secret));
          const text = `${around}${spell(secret)}${around}`;
          return redact(text, [secret]).includes('[redacted]') && !redact(text, [secret]).includes(spell(secret));
        },
      ),
    );
  });
});

describe('foreignText', () => {
  const none = redactor([]);

  it('is one line without control characters', () => {
    expect(foreignText('Invalid\r\n\u001b[31mAPI\u0000 key\u2028\u202e!\t', none)).toBe('Invalid [31mAPI key !');
  });

  it('is bounded, and no half of a secret is left where it was cut', () => {
    const secret = 'a-very-secret-key';
    for (let before = MAX_FOREIGN_TEXT - 30; before < MAX_FOREIGN_TEXT + 5; before++) {
      const text = foreignText('x'.repeat(before) + secret + 'y'.repeat(400), redactor([secret]));
      expect(text.length).toBe(MAX_FOREIGN_TEXT);
      expect(text).not.toMatch(/a-v/);
    }
  });
});

describe('errorText', () => {
  it('tells the causes, without secrets', () => {
    const cause = new Error('connect ECONNREFUSED 127.0.0.1:9 for wss://host/?api_key=KEY-1');
    const error = new TypeError('fetch failed', { cause });
    expect(errorText(error, redactor(['KEY-1']))).toBe(
      'fetch failed: connect ECONNREFUSED 127.0.0.1:9 for wss://host/?api_key=[redacted]',
    );
  });

  it('finds something to say of an error without a message', () => {
    const refused = Object.assign(new Error(''), { code: 'ECONNREFUSED' });
    expect(errorText(refused, redactor([]))).toBe('ECONNREFUSED');
    expect(errorText(new AggregateError([new Error('connect ECONNREFUSED ::1:9')], ''), redactor([]))).toBe(
      'connect ECONNREFUSED ::1:9',
    );
    expect(errorText('thrown text', redactor([]))).toBe('thrown text');
  });
});
