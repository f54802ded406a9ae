/**
 * Keeps two exporters from writing snapshots into one folder. A file says who holds it; its holder touches it all the time,
 * so that others see that he lives also when they cannot look at his process: on another machine, in another container.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often the holder touches the file. */
const BEAT_MS = 2_000;
/** A file that nobody touched for so long has no holder any more. */
const WATCH_MS = 5_000;
const MAX_LOCK_BYTES = 4_096;

interface Holder {
  readonly token: string;
  readonly pid: number;
  readonly host: string;
  /** The boot and the container in which `pid` means this process. */
  readonly place: string;
  /** When the process began, in the system's own measure: numbers of processes are used again. */
  readonly began: string;
}

export interface FolderLockOptions {
  /** How often the holder touches the file, ms. Default 2 s. */
  readonly beatMs?: number;
  /** How long nobody touches the file of a holder that is gone, ms. Default 5 s. */
  readonly watchMs?: number;
}

/** Tokens of the locks that this process holds. */
const held = new Set<string>();

export class FolderLock {
  readonly #file: string;
  readonly #beatMs: number;
  readonly #watchMs: number;
  readonly #self: Holder;
  #beat: NodeJS.Timeout | undefined;
  /** When the file of another holder was seen to be touched, by his clock and by ours. */
  #seen = { token: '', touchedAtMs: 0, atMs: 0 };

  constructor(folder: string, options: FolderLockOptions = {}) {
    this.#file = join(folder, 'table.snapshot.lock');
    this.#beatMs = options.beatMs ?? BEAT_MS;
    this.#watchMs = options.watchMs ?? WATCH_MS;
    const { pid } = process;
    this.#self = { token: randomUUID(), pid, host: hostname(), place: placeOfProcesses(), began: beginOf(pid) ?? '' };
  }

  /** Part of the names of files that are this exporter's own. */
  get token(): string {
    return this.#self.token;
  }

  /**
   * Takes the lock, unless it is held already. Gives who holds it else, as in "process 12 on host-a". Where the file cannot
   * be written at all, nobody is named: writing a snapshot then fails by itself.
   * @param patient waits for some seconds to see whether a holder that cannot be looked at lives; otherwise only what was
   *   seen at the call before counts
   */
  async take(patient: boolean): Promise<string | undefined> {
    for (let tries = 0; tries < 3; tries++) {
      const created = await this.#create();
      if (created) return undefined;
      const holder = await this.#read();
      if (holder === undefined) continue; // gone just now
      if (holder.token === this.#self.token) return undefined;
      const state = await this.#stateOf(holder, patient);
      if (state === 'alive') return `process ${holder.pid} on ${holder.host}`;
      if (state === 'gone') await rm(this.#file, { force: true });
    }
    return undefined;
  }

  /** Whether the file is still this holder's: he may have been stopped for so long that another one took it. */
  async isHeld(): Promise<boolean> {
    return (await this.#read())?.token === this.#self.token;
  }

  async release(): Promise<void> {
    clearInterval(this.#beat);
    held.delete(this.#self.token);
    if (await this.isHeld()) await rm(this.#file, { force: true });
  }

  /** False when somebody has it. */
  async #create(): Promise<boolean> {
    try {
      const file = await open(this.#file, 'wx', 0o600);
      try {
        await file.writeFile(JSON.stringify(this.#self));
      } finally {
        await file.close();
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      return true; // a folder that cannot be written to keeps out everybody
    }
    held.add(this.#self.token);
    clearInterval(this.#beat);
    this.#beat = setInterval(() => void this.#touch(), this.#beatMs);
    this.#beat.unref();
    return true;
  }

  async #touch(): Promise<void> {
    const now = new Date();
    if (await this.isHeld()) await utimes(this.#file, now, now).catch(() => {});
    else clearInterval(this.#beat);
  }

  /** Undefined when there is no file. A file that cannot be read counts as that of an unknown holder. */
  async #read(): Promise<Holder | undefined> {
    try {
      const { size } = await stat(this.#file);
      const text = size > MAX_LOCK_BYTES ? '' : await readFile(this.#file, 'utf8');
      const { token, pid, host, place, began } = (JSON.parse(text) ?? {}) as Partial<Record<keyof Holder, unknown>>;
      const known = typeof pid === 'number' && pid > 0 && typeof host === 'string' && /^[\w.-]{1,255}$/.test(host);
      return { token: String(token), place: String(place), began: String(began), ...(known ? { pid, host } : UNKNOWN) };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === 'ENOENT' ? undefined : { token: '?', place: '?', began: '', ...UNKNOWN };
    }
  }

  async #stateOf(holder: Holder, patient: boolean): Promise<'alive' | 'gone' | 'changed'> {
    const { place, pid } = this.#self;
    if (place !== '' && holder.place === place) {
      if (holder.pid === pid) return held.has(holder.token) ? 'alive' : 'gone';
      const began = beginOf(holder.pid);
      return began !== undefined && began === holder.began ? 'alive' : 'gone';
    }
    for (;;) {
      const touchedAtMs = await stat(this.#file).then(
        ({ mtimeMs }) => mtimeMs,
        () => undefined,
      );
      if (touchedAtMs === undefined) return 'changed';
      const nowMs = performance.now();
      const { token, touchedAtMs: before, atMs } = this.#seen;
      if (token === holder.token && touchedAtMs !== before) {
        this.#seen = { token, touchedAtMs, atMs: nowMs };
        return 'alive';
      }
      if (token !== holder.token) this.#seen = { token: holder.token, touchedAtMs, atMs: nowMs };
      else if (nowMs - atMs >= this.#watchMs) return 'gone';
      if (!patient) return 'alive';
      await sleep(this.#watchMs / 4);
    }
  }
}

const UNKNOWN = { pid: 0, host: 'an unknown host' };

/** Processes with the same value have numbers of one row; empty where the system does not tell. */
function placeOfProcesses(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return '';
  }
}

/** When a process began, in ticks since the boot; undefined when no process has this number. */
function beginOf(pid: number): string | undefined {
  try {
    // Behind the name, which may hold anything: the 22nd field of proc(5) is the 20th there.
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ')[19];
  } catch {
    return undefined;
  }
}
