/** The client's debug output: four levels and a file, as its users know them, over the logger of the program. */
import { appendFileSync } from 'node:fs';
import { createLogger, type LogFields, type Logger } from '../../logger.ts';

/** Writes nothing. The default. */
export const DEBUG_NOTHING = 0;
/** Connections, refusals, failures: the log's levels info, warn and error. */
export const DEBUG_ESSENTIAL = 1;
/** Everything that the log has, level debug too. */
export const DEBUG_EXHAUSTIVE = 2;
/** Every frame as well. */
export const DEBUG_TOO_MUCH = 3;
/** How much the client tells: `DEBUG_NOTHING` to `DEBUG_TOO_MUCH`. */
export type DebugLevel = 0 | 1 | 2 | 3;

/** Longest text of a frame in a debug line, in characters. */
const MAX_FRAME_TEXT = 4_096;

export interface DebugLogOptions {
  readonly level: DebugLevel;
  /** Appended to; undefined: standard error. */
  readonly file: string | undefined;
  readonly secrets: readonly string[];
  /** Used instead of file and standard error; then it is this logger's level that decides. */
  readonly logger?: Logger;
}

export class DebugLog implements Logger {
  readonly #inner: Logger;
  readonly #isForeign: boolean;
  #level: DebugLevel;
  #file: string | undefined;

  /** Throws as `node:fs` does when the file cannot be written, and a `TypeError` for an unknown level. */
  constructor({ level, file, secrets, logger }: DebugLogOptions) {
    this.#level = checkedLevel(level);
    this.#isForeign = logger !== undefined;
    const destination = { write: (line: string) => this.#write(line) };
    this.#inner = logger ?? createLogger({ level: 'debug', format: 'logfmt', destination, secrets });
    this.setFile(file);
  }

  setLevel(level: DebugLevel): void {
    this.#level = checkedLevel(level);
  }

  setFile(file: string | undefined): void {
    // Throws now, to the caller who named the file, when it cannot be written.
    if (file !== undefined) appendFileSync(file, '');
    this.#file = file;
  }

  /** The text of a frame, at level 3. */
  frame(data: Buffer): void {
    if (this.#level < DEBUG_TOO_MUCH) return;
    const text = data.toString('utf8', 0, MAX_FRAME_TEXT);
    this.#inner.debug('frame', { bytes: data.length, text });
  }

  debug(message: string, fields?: LogFields): void {
    if (this.#isForeign || this.#level >= DEBUG_EXHAUSTIVE) this.#inner.debug(message, fields);
  }

  info(message: string, fields?: LogFields): void {
    if (this.#isForeign || this.#level >= DEBUG_ESSENTIAL) this.#inner.info(message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    if (this.#isForeign || this.#level >= DEBUG_ESSENTIAL) this.#inner.warn(message, fields);
  }

  error(message: string, fields?: LogFields): void {
    if (this.#isForeign || this.#level >= DEBUG_ESSENTIAL) this.#inner.error(message, fields);
  }

  /** Asks for the level at every line: it may change. */
  child(bound: LogFields): Logger {
    const child = (more: LogFields): Logger => ({
      debug: (message, fields) => this.debug(message, { ...more, ...fields }),
      info: (message, fields) => this.info(message, { ...more, ...fields }),
      warn: (message, fields) => this.warn(message, { ...more, ...fields }),
      error: (message, fields) => this.error(message, { ...more, ...fields }),
      child: (fields) => child({ ...more, ...fields }),
    });
    return child(bound);
  }

  #write(line: string): void {
    if (this.#file === undefined) {
      process.stderr.write(line);
      return;
    }
    try {
      appendFileSync(this.#file, line);
    } catch (error) {
      // A full disk must not end the stream; the line is not lost either.
      process.stderr.write(`the debug file cannot be written (${(error as Error).message}): ${line}`);
    }
  }
}

function checkedLevel(level: DebugLevel): DebugLevel {
  if ([0, 1, 2, 3].includes(level)) return level;
  throw new TypeError(`debug level: expected 0, 1, 2 or 3, got ${String(level).slice(0, 40)}`);
}
