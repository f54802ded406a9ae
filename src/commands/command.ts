/** What every command of `bgproutes-exporter` is: data for the help text, and one function that runs it. */
import type { Writable } from 'node:stream';
import type { Flag } from './arguments.ts';

/**
 * An output of the process. `isTTY` is set on a terminal: only then may anything be coloured. `columns` is the width of that
 * terminal, in characters.
 */
export type CommandOutput = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** The world of a command, given rather than reached for, so that a test can give it another one. */
export interface CommandIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Answers and data. A reader that goes away (a closed pipe) is not an error. */
  readonly stdout: CommandOutput;
  /** The log, and what went wrong. */
  readonly stderr: CommandOutput;
  /** Aborted by the first SIGINT or SIGTERM: stop in order and return 0. A second signal ends the process at once. */
  readonly signal: AbortSignal;
  /** Calls the listener at every SIGHUP until the returned function is called; without a listener SIGHUP ends the process. */
  onHangup(listener: () => void): () => void;
  /**
   * Sets the function that reports an error that nobody caught, before exit code 1: one text, without the key of the
   * environment. Without such a function the text goes to stderr as it is.
   */
  onFatal(report: (text: string) => void): void;
}

export interface Command {
  /** The word on the command line. */
  readonly name: string;
  /** One line for the list of commands, without a full stop. */
  readonly summary: string;
  /** The whole text of `--help`, ending in a newline. */
  readonly help: string;
  /** Its flags, and the words that may stand as its first argument: what shell completion offers. */
  readonly flags?: readonly Flag[];
  readonly words?: readonly string[];
  /**
   * Runs until done or aborted. `args` is what follows the command's name; `--help` and `--version` never reach it.
   * Resolves with the exit code: 0 done or stopped in order, 2 wrong usage or configuration, 1 anything else fatal.
   * A `UsageError` or `ConfigError` that it throws is printed and gives 2; any other error gives 1.
   */
  run(args: readonly string[], io: CommandIo): Promise<number>;
}

/** Resolves when the signal is aborted, at once when it is already. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
