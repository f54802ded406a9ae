/** A command in the process of the test, with outputs that remember, against a simulator that says what it is told. */
import { Writable } from 'node:stream';
import type { Command, CommandIo, CommandOutput } from '../../src/commands/command.ts';
import type { Simulator } from '../../src/simulator/contract.ts';
import { until } from '../support/patience.ts';

export class Output extends Writable {
  text = '';
  isTTY = false;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

export interface Run {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly exit: Promise<number>;
  /** As Ctrl-C does. */
  stop(): Promise<number>;
  /** Waits for a text on standard error. */
  noted(text: string): Promise<void>;
  /** Waits for so many lines on standard output. */
  printed(lines: number): Promise<string[]>;
}

export interface RunOptions {
  readonly env?: CommandIo['env'];
  readonly stdout?: Output;
}

export function runCommand(command: Command, args: readonly string[], options: RunOptions = {}): Run {
  const stdout = options.stdout ?? new Output();
  const stderr = new Output();
  const stop = new AbortController();
  const exit = command.run(args, {
    env: options.env ?? {},
    stdout: stdout as CommandOutput,
    stderr: stderr as CommandOutput,
    signal: stop.signal,
    onHangup: () => () => {},
    onFatal: () => {},
  });
  exit.catch(() => {}); // looked at by the test
  const failed = exit.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const wait = async (check: () => void): Promise<void> => {
    const outcome = await Promise.race([until(check), failed.then((result) => result)]);
    if (outcome !== undefined) throw (outcome as { error: unknown }).error;
  };
  const contains = (text: string) => () => {
    if (!stderr.text.includes(text)) throw new Error(`no ${JSON.stringify(text)} in ${JSON.stringify(stderr.text)}`);
  };
  return {
    stdout,
    stderr,
    exit,
    stop: () => {
      stop.abort();
      return exit;
    },
    noted: (text) => wait(contains(text)),
    printed: async (lines) => {
      await wait(() => {
        if (stdout.lines.length < lines) throw new Error(`${stdout.lines.length} lines: ${stdout.text}`);
      });
      return stdout.lines;
    },
  };
}

/** The flags that lead a command to a simulator. */
export function addresses({ url, websocketUrl }: Pick<Simulator, 'url' | 'websocketUrl'>): string[] {
  return [
    `--bgproutes.websocket-url=${websocketUrl}`,
    `--bgproutes.live-manager-url=${url}`,
    `--bgproutes.data-api-url=${url}`,
  ];
}
