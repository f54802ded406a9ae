/** Snapshots of the table in a folder: written so that a crash at any moment leaves the previous one, read once at start. */
import { constants, type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RoutingTable } from '../table/routing-table.ts';
import {
  checkSnapshot,
  encodeSnapshot,
  FIRST_SOURCE,
  restoreSnapshot,
  type SnapshotFault,
  type SnapshotMeta,
} from '../table/snapshot/snapshot.ts';
import { makeFolder, tryFolder } from './folder.ts';
import { FolderLock, type FolderLockOptions } from './folder-lock.ts';

/** Written out at once; the event loop turns in between. */
const WRITE_BYTES = 256 * 1024;
const READ_BYTES = 64 * 1024 ** 2;
/** What Node reads and writes at once. A table of 10,000 VPs with 10,000 prefixes each comes to less. */
const MAX_BYTES = 2 ** 31 - 1;
/** A snapshot that is further ahead of our clock tells that one of the two clocks was wrong, ms. */
const MAX_AHEAD_MS = 60_000;
/** A time in decimal is below it. */
const MAX_MARK_BYTES = 64;

export type RestoreOutcome =
  | { readonly result: 'success'; readonly meta: SnapshotMeta }
  | { readonly result: 'missing' }
  /** `asideAs`: the file's new name; undefined when it could not be moved either. */
  | { readonly result: SnapshotFault | 'too_old'; readonly asideAs: string | undefined };

export class SnapshotStore {
  readonly #folder: string;
  readonly #file: string;
  readonly #lock: FolderLock;
  #writing: Promise<void> = Promise.resolve();

  /** @param folder made when missing */
  constructor(folder: string, lock: FolderLockOptions = {}) {
    this.#folder = folder;
    this.#file = join(folder, 'table.snapshot');
    this.#lock = new FolderLock(folder, lock);
  }

  /**
   * Makes the folder this exporter's own. Gives who holds it else, as in "process 12 on host-a": then nothing in it must be
   * read or written.
   * @param patient waits for some seconds where only that tells whether the holder lives
   */
  async lock(patient = false): Promise<string | undefined> {
    const holder = await this.#lock.take(patient);
    if (holder === undefined && patient) await this.#removeLeftovers();
    return holder;
  }

  /** Lets others have the folder. */
  unlock(): Promise<void> {
    return this.#lock.release();
  }

  /** Parts of snapshots whose writers were killed; each has a name of its own, so that nobody else would remove them. */
  async #removeLeftovers(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names.filter((each) => /^table\.snapshot\.(?:.+\.)?(?:tmp|trial)$/.test(each))) {
      await rm(join(this.#folder, name), { force: true }).catch(() => {});
    }
  }

  get file(): string {
    return this.#file;
  }

  /**
   * Whether `save` would find a folder that it can write to: makes it, writes a file and removes it.
   * @throws what the system says
   */
  tryFolder(): Promise<void> {
    return tryFolder(this.#folder);
  }

  /** Whether there is a snapshot. */
  exists(): Promise<boolean> {
    return stat(this.#file).then(
      () => true,
      () => false,
    );
  }

  /**
   * Writes the table as it is now, replacing the previous file when all is on the disk. One after the other.
   * @param aheadMs as of `encodeSnapshot`
   * @throws what the file system says; the previous file is then still there
   */
  save(table: RoutingTable, meta: () => SnapshotMeta, aheadMs = 0): Promise<void> {
    const write = this.#writing.catch(() => {}).then(() => this.#save(table, meta(), aheadMs));
    this.#writing = write;
    return write;
  }

  async #save(table: RoutingTable, meta: SnapshotMeta, aheadMs: number): Promise<void> {
    await makeFolder(this.#folder);
    const temporary = `${this.#file}.${this.#lock.token}.tmp`;
    try {
      const file = await open(temporary, 'w', 0o600);
      try {
        await writeChunks(file, encodeSnapshot(table, meta, aheadMs));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.#file);
    } catch (error) {
      // A disk that is full has no room for a part that is of no use.
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
    await this.#syncFolder();
  }

  /** A file that was created or renamed is safe on the disk only when its folder is written too. */
  async #syncFolder(): Promise<void> {
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  /**
   * Fills a fresh table from the file. A file that cannot be used is set aside under another name, so that it is neither
   * lost nor in the way. The counters of a final snapshot go on only once: `meta.final` of the outcome tells.
   * @param oldestMs a snapshot made before is too old
   */
  async restore(table: RoutingTable, nowMs: number, oldestMs: number): Promise<RestoreOutcome> {
    let bytes: Buffer | undefined;
    try {
      bytes = await readWhole(this.#file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { result: 'missing' };
    }
    if (bytes === undefined) return this.#setAside('foreign', nowMs);
    const checked = checkSnapshot(bytes);
    if (!checked.ok) return this.#setAside(checked.reason, nowMs);
    if (checked.meta.createdAtMs < oldestMs) return this.#setAside('too_old', nowMs);
    // How long ago it was written is not known then: its routes are used, but nothing in it counts as complete.
    const isAhead = checked.meta.createdAtMs > nowMs + MAX_AHEAD_MS;
    const { createdAtMs, completeUntil, sources = [{ name: FIRST_SOURCE, completeUntil }] } = checked.meta;
    const final = await this.#claimCounters(checked.meta);
    const known = isAhead ? sources.map(({ name }) => ({ name, completeUntil: {} })) : sources;
    const meta = { createdAtMs, completeUntil: isAhead ? {} : completeUntil, sources: known, final };
    try {
      restoreSnapshot(table, { ...checked, meta }, nowMs);
    } catch {
      return this.#setAside('corrupt', nowMs);
    }
    return { result: 'success', meta };
  }

  /**
   * From a restore on, counters are seen higher than they are in the file: should the process be killed before the next
   * one is written, they must not come back. So the process that restores them first leaves a mark in the file; a process that cannot write the mark does not restore them.
   */
  async #claimCounters({ final, createdAtMs }: SnapshotMeta): Promise<boolean> {
    if (final !== true) return false;
    const mark = String(createdAtMs);
    try {
      const file = await open(`${this.#file}.resumed`, constants.O_RDWR | constants.O_CREAT, 0o600);
      try {
        // To read a pipe would wait for ever, as above.
        if (!(await file.stat()).isFile()) return false;
        const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_MARK_BYTES), 0, MAX_MARK_BYTES, 0);
        if (buffer.toString('latin1', 0, bytesRead) === mark) return false;
        await file.truncate();
        await file.write(mark, 0);
        await file.sync();
      } finally {
        await file.close();
      }
      await this.#syncFolder();
      return true;
    } catch {
      return false;
    }
  }

  async #setAside(result: SnapshotFault | 'too_old', nowMs: number): Promise<RestoreOutcome> {
    const name = `${this.#file}.${result}-${nowMs}`;
    try {
      await rename(this.#file, name);
      return { result, asideAs: name };
    } catch {
      return { result, asideAs: undefined };
    }
  }
}

/**
 * All bytes of a file, in one piece of memory; undefined for something that is not a file, or is too large. Never waits, as reading a pipe
 * would.
 */
async function readWhole(path: string): Promise<Buffer | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile() || found.size > MAX_BYTES) return undefined;
    const bytes = Buffer.allocUnsafe(found.size);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, Math.min(READ_BYTES, bytes.length - length), length);
      if (bytesRead === 0) break; // it was cut meanwhile
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}

async function writeChunks(file: FileHandle, chunks: Iterable<Buffer>): Promise<void> {
  let pending: Buffer[] = [];
  let bytes = 0;
  let total = 0;
  // Not `writev`: on a disk that fills up it writes what has room and calls that a success.
  const write = () => file.writeFile(Buffer.concat(pending, bytes));
  for (const chunk of chunks) {
    pending.push(chunk);
    bytes += chunk.length;
    total += chunk.length;
    if (total > MAX_BYTES)
      throw new Error(`the table comes to more than ${MAX_BYTES} bytes, which could not be read again`);
    if (bytes < WRITE_BYTES) continue;
    await write();
    await nextTurn();
    pending = [];
    bytes = 0;
  }
  if (bytes > 0) await write();
}
