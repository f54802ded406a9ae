import { describe, expect, it } from 'vitest';
import { type Flag, formatFlags, parseArguments, UsageError } from '../../src/commands/arguments.ts';
import { suggestion } from '../../src/input/suggestion.ts';

const FLAGS: readonly Flag[] = [
  { name: 'prefix', value: 'PREFIX', repeatable: true, help: 'A prefix.' },
  { name: 'log.level', value: 'LEVEL', help: 'A level.' },
  { name: 'web.enable-lifecycle', help: 'On.' },
];

describe('parseArguments', () => {
  it.each<[string[], object]>([
    [[], {}],
    [['--log.level=debug'], { 'log.level': 'debug' }],
    [['--log.level', 'debug'], { 'log.level': 'debug' }],
    [['--log.level='], { 'log.level': '' }],
    [['--log.level=-x'], { 'log.level': '-x' }],
    [['--log.level=a=b'], { 'log.level': 'a=b' }],
    [['--prefix=a', '--prefix', 'b'], { prefix: ['a', 'b'] }],
    [['--web.enable-lifecycle'], { 'web.enable-lifecycle': true }],
    [['--web.enable-lifecycle=true'], { 'web.enable-lifecycle': true }],
    [['--web.enable-lifecycle=false'], { 'web.enable-lifecycle': false }],
    [['--no-web.enable-lifecycle'], { 'web.enable-lifecycle': false }],
  ])('%j', (args, flags) => {
    expect(parseArguments(args, FLAGS)).toEqual({ flags, positionals: [] });
  });

  it('takes the arguments that a command has', () => {
    expect(parseArguments(['--prefix=a', 'x', '--', '--y'], FLAGS, ['A', 'B'])).toEqual({
      flags: { prefix: ['a'] },
      positionals: ['x', '--y'],
    });
  });

  it.each<[string[], string]>([
    [['--prefx=secret'], 'unknown flag --prefx, did you mean --prefix?'],
    [['-prefix=secret'], 'unknown flag -prefix, did you mean --prefix?'],
    [['-p', 'x'], 'unknown flag -p'],
    [['--loglevel=x'], 'unknown flag --loglevel, did you mean --log.level?'],
    [['--no-log.level'], 'unknown flag --no-log.level, did you mean --log.level?'],
    [['--something-else'], 'unknown flag --something-else'],
    [['--constructor'], 'unknown flag --constructor'],
    [['--log.level'], '--log.level needs a value: --log.level=LEVEL'],
    [['--log.level', '--prefix=a'], '--log.level needs a value: --log.level=LEVEL'],
    [['--log.level=a', '--log.level=b'], '--log.level is given twice'],
    [['--web.enable-lifecycle', '--no-web.enable-lifecycle'], '--web.enable-lifecycle is given twice'],
    [['--web.enable-lifecycle=on'], '--web.enable-lifecycle takes no value'],
    [['serve'], 'unexpected argument "serve"'],
    [['192.0.2.0/24'], 'unexpected argument "192.0.2.0/24", did you mean --prefix=192.0.2.0/24?'],
    [['-v'], 'unknown flag -v, did you mean --version?'],
    [['--verson'], 'unknown flag --verson, did you mean --version?'],
  ])('%j is wrong', (args, message) => {
    expect(() => parseArguments(args, FLAGS)).toThrow(new UsageError(message));
  });

  it('says which argument is missing', () => {
    expect(() => parseArguments([], FLAGS, ['FILE'])).toThrow('FILE is missing');
  });
});

describe('formatFlags', () => {
  it('gives two columns, with the flags that every command has', () => {
    const text = formatFlags(FLAGS);
    expect(text).toMatch(/^ {2}--prefix=PREFIX {9}A prefix\.\n/);
    expect(text).toMatch(/\n {2}--help {18}Print this help .*\n {2}--version {15}Print the version .*\n$/);
  });
});

describe('suggestion', () => {
  it.each([
    ['prefx', ['prefix', 'path'], 'prefix'],
    ['perfix', ['prefix', 'path'], 'prefix'],
    ['PREFIX', ['prefix'], 'prefix'],
    ['srve', ['serve', 'simulate'], 'serve'],
    ['x', ['prefix', 'serve'], undefined],
    ['listen', ['serve'], undefined],
    ['', ['serve'], undefined],
    ['tale', ['tail', 'vps', 'rib'], 'tail'],
    ['origin', ['origins', 'visibility'], 'origins'],
    ['rob', ['vps', 'rib'], 'rib'],
    ['v3', ['v1', 'v2'], undefined],
  ])('%s of %j: %s', (word, known, expected) => {
    expect(suggestion(word, known)).toBe(expected);
  });
});
