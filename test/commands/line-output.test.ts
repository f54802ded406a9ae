import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonLine, LineOutput } from '../../src/commands/line-output.ts';
import { runs } from '../support/property-runs.ts';
import { Output } from './command-world.ts';

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
