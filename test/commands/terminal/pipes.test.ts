/** What a command does with a reader that goes away, stands still, or both: the ends of pipes are file descriptors of the test. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { flushed, isReaderGone } from '../../../src/commands/terminal/line-output.ts';
import { BGP_VP, cleanups, KEY, P1, ROUTE, simulate } from '../../bgproutes/client/client-world.ts';
import { type Program, startProgram } from '../../support/program.ts';
import { addresses, Output } from '../command-world.ts';

interface Pipe {
  readonly reader: number;
  readonly writer: number;
  close(end: number): void;
}

/** A pipe that takes not one byte more. */
function fullPipe(): Pipe {
  const folder = mkdtempSync(join(tmpdir(), 'pipe-'));
  const path = join(folder, 'fifo');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  rmSync(folder, { recursive: true });
  for (const size of [4_096, 1]) {
    try {
      for (;;) writeSync(writer, Buffer.alloc(size));
    } catch (error) {
      expect(error).toMatchObject({ code: 'EAGAIN' });
    }
  }
  const open = new Set([reader, writer]);
  const close = (end: number): void => {
    if (open.delete(end)) closeSync(end);
  };
  cleanups.push(async () => {
    close(reader);
    close(writer);
  });
  return { reader, writer, close };
}

/** `tail` that has a line to print, and cannot. */
async function stuckTail(): Promise<{ readonly program: Program; readonly pipe: Pipe }> {
  const simulator = await simulate();
  const vp = simulator.addVantagePoint(BGP_VP);
  const pipe = fullPipe();
  const args = ['tail', `--prefix=${P1}`, '--format=v1', ...addresses(simulator)];
  const program = startProgram(args, { BGP_API_KEY: KEY }, 'pipe', pipe.writer);
  cleanups.push(async () => program.child.kill('SIGKILL'));
  pipe.close(pipe.writer);
  await program.seen(/# connected/);
  simulator.announce(vp.key, P1, ROUTE);
  // Comes after the line: what is told of the garbage shows that the line was written.
  simulator.faults.garbage('invalid_json');
  await program.seen(/# a message could not be read/);
  return { program, pipe };
}

describe('a command whose reader stands still', () => {
  it('ends by Ctrl-C all the same', async () => {
    const { program } = await stuckTail();
    program.child.kill('SIGINT');
    expect(await program.exit).toBe(0);
  });

  it('ends when that reader goes away', async () => {
    const { program, pipe } = await stuckTail();
    pipe.close(pipe.reader);
    expect(await program.exit).toBe(0);
  });

  it('and then goes away before a short answer is taken is no error either', async () => {
    const pipe = fullPipe();
    const help = startProgram(['help', 'simulate'], {}, 'pipe', pipe.writer);
    cleanups.push(async () => help.child.kill('SIGKILL'));
    pipe.close(pipe.writer);
    pipe.close(pipe.reader);
    expect(await help.exit).toBe(0);
  });
});

describe('what was written', () => {
  class Stuck extends Output {
    readonly waiting: (() => void)[] = [];
    override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
      this.waiting.push(done);
    }
  }

  it('is waited for while nobody says stop', async () => {
    const output = new Stuck();
    output.write('one');
    const done = vi.fn();
    const flush = flushed([output], new AbortController().signal, 0).then(done);
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).not.toHaveBeenCalled();
    while (output.waiting.length > 0) {
      output.waiting.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await flush;
  });

  it('is given up soon after the stop', async () => {
    const output = new Stuck();
    output.write('one');
    const stop = new AbortController();
    const flush = flushed([output], stop.signal, 1);
    stop.abort();
    await flush;
    expect(output.waiting).toHaveLength(1);
  });
});

describe('a write fails because its reader is gone', () => {
  it.each([
    ['EPIPE', true],
    ['ECONNRESET', true],
    ['ENOSPC', false],
    [undefined, false],
  ])('%s: %s', (code, isGone) => {
    expect(isReaderGone(Object.assign(new Error('of a write'), { code }))).toBe(isGone);
  });
});
