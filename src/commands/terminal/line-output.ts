/** Lines on an output that may be a terminal, slow, or gone. */
import { once } from 'node:events';
import { aborted, type CommandIo, type CommandOutput } from '../command.ts';

const COLOURS = { red: 31, green: 32, yellow: 33, cyan: 36, grey: 90 } as const;
/** How long a stop waits for a slow reader, ms: longer than any that still reads needs. */
const FLUSH_LIMIT_MS = 1_000;

export type Colour = keyof typeof COLOURS;
export type Paint = (colour: Colour, text: string) => string;

/** Colours on a terminal only, and not where NO_COLOR (no-color.org) is set. */
export function painterFor(output: CommandOutput, env: CommandIo['env']): Paint {
  const isPlain = output.isTTY !== true || (env.NO_COLOR !== undefined && env.NO_COLOR !== '') || env.TERM === 'dumb';
  return isPlain ? (_, text) => text : (colour, text) => `\u001b[${COLOURS[colour]}m${text}\u001b[0m`;
}

/** A piece of a line. */
export interface LinePart {
  /** Blanks before it; unused at the start of a line. */
  readonly gap: string;
  readonly text: string;
  readonly colour?: Colour;
}

/** Blanks before what goes on in the next line. */
const FOLD_INDENT = '    ';

/** One line, or where it is wider than `width` (characters) several, folded between words. Without a newline at the end. */
export function foldParts(parts: readonly LinePart[], width: number, paint: Paint): string {
  const painted = ({ colour }: LinePart, text: string): string => (colour === undefined ? text : paint(colour, text));
  const length = parts.reduce((sum, { gap, text }) => sum + gap.length + text.length, 0);
  if (length <= width) return parts.map((part) => part.gap + painted(part, part.text)).join('');
  let lines = '';
  let used = 0;
  for (const part of parts) {
    for (const [i, word] of part.text.split(' ').entries()) {
      const gap = i === 0 ? part.gap : ' ';
      const fits = used === 0 || used + gap.length + word.length <= width;
      lines += `${fits ? gap : `\n${FOLD_INDENT}`}${painted(part, word)}`;
      used = (fits ? used + gap.length : FOLD_INDENT.length) + word.length;
    }
  }
  return lines;
}

/** JSON on one line; what is invisible or changes the direction of text is escaped: the texts are a stranger's. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(/[\p{C}\u2028\u2029]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/**
 * Whether a write failed because nobody reads any more: the reader of a pipe (EPIPE), or of a socket, which a process that
 * Node started has instead of a pipe (also ECONNRESET), has closed its end.
 */
export function isReaderGone(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE' || error.code === 'ECONNRESET';
}

/**
 * Resolves when everything written so far has been taken, or failed. A reader that is there and does not read is waited for
 * until `limitMs` after `stop` is aborted: what was told to stop must end.
 */
export async function flushed(
  outputs: readonly CommandOutput[],
  stop: AbortSignal,
  limitMs = FLUSH_LIMIT_MS,
): Promise<void> {
  const written = Promise.all(outputs.map((output) => new Promise((resolve) => output.write('', resolve))));
  const late = aborted(stop).then(() => new Promise((resolve) => setTimeout(resolve, limitMs)));
  await Promise.race([written, late]);
}

export class LineOutput {
  /** Aborted when the command is to stop, or when nobody reads the output any more: neither is an error. */
  readonly signal: AbortSignal;
  readonly paint: Paint;
  readonly #output: CommandOutput;
  readonly #stop = new AbortController();
  readonly #given: AbortSignal;

  constructor({ stdout, env, signal }: Pick<CommandIo, 'stdout' | 'env' | 'signal'>) {
    this.#output = stdout;
    this.#given = signal;
    this.signal = this.#stop.signal;
    this.paint = painterFor(stdout, env);
    stdout.on('error', this.#onError).on('close', this.#onGone);
    signal.addEventListener('abort', this.#onGone);
    if (signal.aborted || stdout.destroyed) this.#stop.abort();
  }

  /** Resolves when the output can take more. Does nothing when it is gone. */
  async write(text: string): Promise<void> {
    if (this.signal.aborted || this.#output.write(text)) return;
    await once(this.#output, 'drain', { signal: this.signal }).catch(() => {});
  }

  line(text: string): Promise<void> {
    return this.write(`${text}\n`);
  }

  /** Takes its listeners off. */
  end(): void {
    this.#output.off('error', this.#onError).off('close', this.#onGone);
    this.#given.removeEventListener('abort', this.#onGone);
  }

  readonly #onGone = (): void => this.#stop.abort();

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    // Whatever else it is (a full disk) ends the program elsewhere, as an error.
    if (isReaderGone(error)) this.#stop.abort();
  };
}
