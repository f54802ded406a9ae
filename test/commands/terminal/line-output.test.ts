import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldParts, jsonLine, LineOutput } from '../../../src/commands/terminal/line-output.ts';
import { runs } from '../../support/property-runs.ts';
import { Output } from '../command-world.ts';

describe('jsonLine', () => {
  it('escapes what a terminal could obey, or nobody could see', () => {
    expect(jsonLine(['\u009b31m', '\u202e', '\u2028', '\u{e0001}', 'ü東'])).toBe(
      String.raw`["\u009b31m","\u202e","\u2028","\udb40\udc01","ü東"]`,
    );
  });

  it('reads back as what it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(JSON.parse(jsonLine({ text }))).toEqual({ text });
        expect(jsonLine({ text })).not.toMatch(/[\p{C}\u2028\u2029]/u);
      }),
      runs(500),
    );
  });
});

describe('a line output', () => {
  it('is over when its reader goes, and takes its listeners along', async () => {
    const stdout = new Output();
    const before = ['error', 'close'].map((event) => stdout.listenerCount(event));
    const output = new LineOutput({ stdout, env: {}, signal: new AbortController().signal });
    await output.line('one');
    stdout.emit('error', Object.assign(new Error('closed'), { code: 'EPIPE' }));
    expect(output.signal.aborted).toBe(true);
    await output.line('two');
    expect(stdout.text).toBe('one\n');
    output.end();
    expect(['error', 'close'].map((event) => stdout.listenerCount(event))).toEqual(before);
  });

  it('is not over because of another error: that is not its to judge', () => {
    const stdout = new Output();
    const output = new LineOutput({ stdout, env: {}, signal: new AbortController().signal });
    stdout.emit('error', Object.assign(new Error('full'), { code: 'ENOSPC' }));
    expect(output.signal.aborted).toBe(false);
    output.end();
  });

  it('is over from the start when the command is stopped already', () => {
    const output = new LineOutput({ stdout: new Output(), env: {}, signal: AbortSignal.abort() });
    expect(output.signal.aborted).toBe(true);
    output.end();
  });
});

describe('a line of parts', () => {
  const parts = [
    { gap: '', text: '18:00:00', colour: 'grey' },
    { gap: ' ', text: '192.0.2.0/24:' },
    { gap: ' ', text: 'origin changed', colour: 'red' },
    { gap: '  ', text: 'at AS1 192.0.2.1' },
  ] as const;
  const plain = (_: unknown, text: string) => text;

  it('is one line where there is room, with the gaps that it has', () => {
    const line = '18:00:00 192.0.2.0/24: origin changed  at AS1 192.0.2.1';
    expect(foldParts(parts, line.length, plain)).toBe(line);
    expect(foldParts(parts, Number.POSITIVE_INFINITY, plain)).toBe(line);
  });

  it('is folded between words, no line wider than the room, and loses none of them', () => {
    expect(foldParts(parts, 30, plain).split('\n')).toEqual([
      '18:00:00 192.0.2.0/24: origin',
      '    changed  at AS1 192.0.2.1',
    ]);
    for (let width = 17; width < 54; width++) {
      const lines = foldParts(parts, width, plain).split('\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
      expect(lines.join(' ').split(/ +/)).toEqual('18:00:00 192.0.2.0/24: origin changed at AS1 192.0.2.1'.split(' '));
    }
  });

  it('has its colours in every line, and their characters take no room', () => {
    const painted = foldParts(parts, 30, (colour, text) => `<${colour}>${text}</>`);
    expect(painted.split('\n')).toEqual([
      '<grey>18:00:00</> 192.0.2.0/24: <red>origin</>',
      '    <red>changed</>  at AS1 192.0.2.1',
    ]);
  });
});
