/** The file with names of ASes: read at the start, and again when it has changed. Nothing is downloaded. */
import { readFile, stat } from 'node:fs/promises';
import { systemReason } from '../errors/system-error.ts';
import { inTurns } from '../in-turns.ts';
import type { Logger } from '../logger.ts';
import { sleep, type Timers } from '../stream/timers.ts';
import { AsNames } from './as-names.ts';

/** The largest of the public files has 40 MB. */
const MAX_BYTES = 128 * 1024 * 1024;
/** How often the file is looked at, ms. Whoever fetches it does so once a day. */
const LOOK_MS = 10 * 60_000;

/** The names of a file, or why there are none, in words. */
export type AsNamesRead =
  | { readonly ok: true; readonly names: AsNames }
  | { readonly ok: false; readonly reason: string };

/** Never rejects. */
export async function readAsNames(path: string): Promise<AsNamesRead> {
  try {
    const file = await stat(path);
    if (!file.isFile()) return { ok: false, reason: 'it is not a regular file' };
    if (file.size > MAX_BYTES) return { ok: false, reason: 'it is larger than 128 MiB' };
    const names = await inTurns(AsNames.read(await readFile(path)));
    if (names.size === 0 || names.unreadable > names.size)
      return { ok: false, reason: 'it is of none of the forms in which names of ASes are published' };
    return { ok: true, names };
  } catch (error) {
    return { ok: false, reason: systemReason(error) };
  }
}

export interface AsNameFileOptions {
  readonly path: string;
  readonly timers: Timers;
  readonly log: Logger;
}

export class AsNameFile {
  /** Undefined until the file was read. */
  names: AsNames | undefined;
  readonly #options: AsNameFileOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  /** Identity and time of the file when it was read: shows whether it has changed. */
  #read = '';
  #toldReason = '';

  constructor(options: AsNameFileOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { timers } = this.#options;
    while (!this.#stop.signal.aborted) {
      await this.#look();
      if (this.#stop.signal.aborted) return;
      await sleep(timers, LOOK_MS, this.#stop.signal);
    }
  }

  async #look(): Promise<void> {
    const { path, log } = this.#options;
    const state = await stat(path).then(
      ({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`,
      () => '',
    );
    if (state !== '' && state === this.#read) return;
    const read = await readAsNames(path);
    if (read.ok) {
      this.names = read.names;
      this.#read = state;
      this.#toldReason = '';
      log.info('names of ASes were read', { ases: read.names.size, unreadable: read.names.unreadable });
      return;
    }
    if (read.reason === this.#toldReason) return;
    this.#toldReason = read.reason;
    const note = this.names === undefined ? 'there are none' : 'those that were read before are kept';
    log.warn(`names of ASes could not be read; ${note}`, { file: path, reason: read.reason });
  }
}
