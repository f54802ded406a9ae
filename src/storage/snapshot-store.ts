/** Snapshots of the table in a folder: written so that a crash at any moment leaves the former one, read once at start. */
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RoutingTable } from '../table/routing-table.ts';
import {
  checkSnapshot,
  encodeSnapshot,
  restoreSnapshot,
  type SnapshotFault,
  type SnapshotMeta,
} from '../table/snapshot.ts';

/** Written out at once; the event loop turns in between. */
const WRITE_BYTES = 256 * 1024;
/** A snapshot of 20,000 VPs and 10,000 prefixes is below it; what is larger is not ours. */
const MAX_BYTES = 4 * 1024 ** 3 - 1;

export type RestoreOutcome =
  | { readonly result: 'success'; readonly meta: SnapshotMeta }
  | { readonly result: 'missing' }
  /** `asideAs`: the file's new name; undefined when it could not be moved either. */
  | { readonly result: SnapshotFault | 'too_old'; readonly asideAs: string | undefined };

export class SnapshotStore {
  readonly #folder: string;
  readonly #file: string;
  #writing: Promise<void> = Promise.resolve();

  /** @param folder made when missing */
  constructor(folder: string) {
    this.#folder = folder;
    this.#file = join(folder, 'table.snapshot');
  }

  get file(): string {
    return this.#file;
  }

  /**
   * Writes the table as it is now, replacing the former file when all is on the disk. One after the other.
   * @throws what the file system says; the former file is then still there
   */
  save(table: RoutingTable, meta: () => SnapshotMeta): Promise<void> {
    const write = this.#writing.catch(() => {}).then(() => this.#save(table, meta()));
    this.#writing = write;
    return write;
  }

  async #save(table: RoutingTable, meta: SnapshotMeta): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const temporary = `${this.#file}.tmp`;
    try {
      const file = await open(temporary, 'w', 0o600);
      try {
        await writeChunks(file, encodeSnapshot(table, meta));
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
    // The rename itself is on the disk only when the folder is.
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  /**
   * Fills a fresh table from the file. A file that cannot be used is set aside under another name, so that it is neither
   * lost nor in the way.
   * @param oldestMs a snapshot made before is too old
   */
  async restore(table: RoutingTable, nowMs: number, oldestMs: number): Promise<RestoreOutcome> {
    let bytes: Buffer;
    try {
      const found = await stat(this.#file);
      // To read a pipe would wait for ever.
      if (!found.isFile() || found.size > MAX_BYTES) return this.#setAside('foreign', nowMs);
      bytes = await readFile(this.#file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { result: 'missing' };
      return this.#setAside('foreign', nowMs);
    }
    const snapshot = checkSnapshot(bytes);
    if (!snapshot.ok) return this.#setAside(snapshot.reason, nowMs);
    if (snapshot.meta.createdAtMs < oldestMs) return this.#setAside('too_old', nowMs);
    try {
      restoreSnapshot(table, snapshot);
    } catch {
      return this.#setAside('corrupt', nowMs);
    }
    return { result: 'success', meta: snapshot.meta };
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

async function writeChunks(file: FileHandle, chunks: Iterable<Buffer>): Promise<void> {
  let pending: Buffer[] = [];
  let bytes = 0;
  // Not `writev`: on a disk that fills up it writes what has room and calls that a success.
  const write = () => file.writeFile(Buffer.concat(pending, bytes));
  for (const chunk of chunks) {
    pending.push(chunk);
    bytes += chunk.length;
    if (bytes < WRITE_BYTES) continue;
    await write();
    await nextTurn();
    pending = [];
    bytes = 0;
  }
  if (bytes > 0) await write();
}
