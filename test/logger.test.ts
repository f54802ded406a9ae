import { describe, expect, it } from 'vitest';
import { createLogger, type LogFormat, type LogLevel } from '../src/logger.ts';

const NOW_MS = Date.UTC(2026, 5, 16, 12, 0, 0, 5);

function lines(format: LogFormat, level: LogLevel = 'info', secrets: string[] = []) {
  const written: string[] = [];
  const destination = { write: (line: string) => written.push(line) };
  return { written, logger: createLogger({ level, format, destination, secrets, now: () => NOW_MS }) };
}

describe('logger', () => {
  it('writes logfmt with time, level and message first', () => {
    const { logger, written } = lines('logfmt');
    logger.info('stream is up', { session: '0', prefixes: 3, first: true, ip: '2001:db8::1' });
    expect(written).toEqual([
      'ts=2026-06-16T12:00:00.005Z level=info msg="stream is up" session=0 prefixes=3 first=true ip=2001:db8::1\n',
    ]);
  });

  it('writes one JSON object a line', () => {
    const { logger, written } = lines('json');
    logger.warn('half of 100 %s', { session: '0', n: 1.5 });
    expect(written).toHaveLength(1);
    expect(JSON.parse(written[0])).toEqual({
      time: '2026-06-16T12:00:00.005Z',
      level: 'warn',
      msg: 'half of 100 %s',
      session: '0',
      n: 1.5,
    });
  });

  it.each([
    ['', 'v=""'],
    ['a b', 'v="a b"'],
    ['a=b', 'v="a=b"'],
    ['say "no"', 'v="say \\"no\\""'],
    ['C:\\x', 'v="C:\\\\x"'],
    ['one\ntwo level=error', 'v="one\\ntwo level=error"'],
    ['\u001b[31mred', 'v="\\u001b[31mred"'],
    ['\u202etxt', 'v="\\u202etxt"'],
    ['müller€', 'v=müller€'],
  ])('quotes %j so that nothing can pass for a field or a line of its own', (value, expected) => {
    const { logger, written } = lines('logfmt');
    logger.info('m', { v: value });
    expect(written).toEqual([`ts=2026-06-16T12:00:00.005Z level=info msg=m ${expected}\n`]);
  });

  it('escapes in JSON what a terminal would obey: C1 control characters, line separators, changes of direction', () => {
    const { logger, written } = lines('json');
    const text = 'a\u009b31m\u2028b\u202ec\u200bd\u007f\u0000é';
    logger.info(text, { v: text });
    expect(written[0]).not.toMatch(/[\u007f-\u009f\u2028\u202e\u200b]/);
    expect(written[0].match(/\n/g)).toHaveLength(1);
    expect(JSON.parse(written[0])).toMatchObject({ msg: text, v: text });
  });

  it('keeps quiet below its level, and leaves out undefined fields', () => {
    const { logger, written } = lines('logfmt', 'warn');
    logger.debug('a');
    logger.info('b');
    logger.warn('c', { gone: undefined });
    logger.error('d');
    expect(written).toEqual([
      'ts=2026-06-16T12:00:00.005Z level=warn msg=c\n',
      'ts=2026-06-16T12:00:00.005Z level=error msg=d\n',
    ]);
  });

  it('gives the fields of a child to every line of it, the newest of a name', () => {
    const { logger, written } = lines('json');
    logger.child({ source: 'bgproutes', session: '0' }).child({ session: '1' }).info('m', { n: 1 });
    expect(JSON.parse(written[0])).toMatchObject({ source: 'bgproutes', session: '1', n: 1 });
  });

  it('does not let a field overwrite time, level or message', () => {
    const { logger, written } = lines('json');
    logger.info('m', { level: 'error', time: 'x', ts: 'x', msg: 'y' });
    const own = { level_: 'error', time_: 'x', ts_: 'x', msg_: 'y' };
    expect(JSON.parse(written[0])).toMatchObject({ level: 'info', msg: 'm', ...own });
  });

  it('takes another level and format while it runs, for children too', () => {
    const { logger, written } = lines('logfmt');
    const child = logger.child({ n: 1 });
    child.debug('not yet');
    logger.set({ level: 'debug', format: 'json' });
    child.debug('now');
    logger.set({ level: 'error', format: 'logfmt' });
    child.warn('no more');
    child.error('again');
    const time = '2026-06-16T12:00:00.005Z';
    expect(written).toEqual([
      `{"level":"debug","time":"${time}","n":1,"msg":"now"}\n`,
      `ts=${time} level=error msg=again n=1\n`,
    ]);
  });

  it.each(['logfmt', 'json'] as const)(
    'shows no secret in %s: plain, in a URL, in a child, or added later',
    (format) => {
      const { logger, written } = lines(format, 'info', ['first/key"+']);
      const child = logger.child({ url: 'wss://x/?k=first%2Fkey%22%2B', later: 'second-key' });
      logger.addSecrets(['second-key']);
      child.info('first/key"+ and second-key', { again: 'GET /?api_key=third-key' });
      expect(written.join('')).not.toMatch(/first|second|third/);
      expect(written.join('').match(/\[redacted\]/g)).toHaveLength(5);
    },
  );

  it('cuts a value that is no line for people', () => {
    const { logger, written } = lines('logfmt');
    logger.info('x'.repeat(100_000));
    expect(written[0].length).toBeLessThan(9_000);
  });
});
