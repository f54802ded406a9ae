/**
 * The past of the prefixes in the folder of the snapshots: a file of its own beside the table's, so that a fault of one does not
 * harm the other. Compressed lines of JSON, written so that a crash at any moment leaves the previous file.
 */
import { constants, type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createGunzip, createGzip, type Gunzip, type Gzip, constants as zlib } from 'node:zlib';
import { encodeHistory, readHead, restoreLine } from '../history/history-record.ts';
import type { TableHistory } from '../history/table-history.ts';
import { makeFolder } from './folder.ts';

/** A prefix with as many changes as can be configured comes to less; to parse so much takes some 30 ms. */
const MAX_LINE_BYTES = 4 * 1024 ** 2;
/** Most bytes of all lines, decompressed. 10,000 prefixes with as many changes as can be configured, of usual paths, come to less. */
const MAX_BYTES = 2 * 1024 ** 3;
/** More prefixes than can be monitored. */
const MAX_LINES = 100_000;
const READ_BYTES = 256 * 1024;
/** An older history has nothing left that is shown. */
const OLDEST_MS = 7 * 86_400_000;

export type HistoryOutcome = 'success' | 'missing' | 'too_old' | 'corrupt';

export class HistoryStore {
  readonly #folder: string;
  readonly file: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.file = join(folder, 'history.snapshot');
  }

  /**
   * Replaces the previous file when all is on the disk. The event loop turns after each prefix.
   * @param aheadMs how far the clock of the file is ahead of the history's
   * @throws what the file system says; the previous file is then still there
   */
  async save(history: TableHistory, nowMs: number, aheadMs: number): Promise<void> {
    await makeFolder(this.#folder);
    const temporary = `${this.file}.tmp`;
    try {
      const file = await open(temporary, 'w', 0o600);
      try {
        const gzip = createGzip({ level: zlib.Z_BEST_SPEED });
        const lines = Readable.from(linesOf(history, nowMs, aheadMs));
        for await (const chunk of piped(lines, gzip)) await file.writeFile(chunk);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.file);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
  }

  /**
   * Fills the history of those prefixes that are still monitored. A file that cannot be used is set aside; what was read of it
   * before the fault showed is kept.
   */
  async restore(history: TableHistory, nowMs: number): Promise<HistoryOutcome> {
    let file: FileHandle;
    try {
      // Never waits, as opening a pipe would.
      file = await open(this.file, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'missing' : 'corrupt';
    }
    let outcome: HistoryOutcome = 'corrupt';
    try {
      if ((await file.stat()).isFile()) outcome = await readLines(file, history, nowMs);
    } catch {
      outcome = 'corrupt';
    } finally {
      await file.close();
    }
    if (outcome === 'corrupt') await rename(this.file, `${this.file}.corrupt-${nowMs}`).catch(() => {});
    return outcome;
  }
}

async function* linesOf(history: TableHistory, nowMs: number, aheadMs: number): AsyncGenerator<string, void> {
  for (const line of encodeHistory(history, nowMs, aheadMs)) {
    yield `${line}\n`;
    await nextTurn();
  }
}

async function readLines(file: FileHandle, history: TableHistory, nowMs: number): Promise<HistoryOutcome> {
  let isFirst = true;
  const prefixes = new Set<string>();
  for await (const line of linesIn(piped(Readable.from(chunksOf(file)), createGunzip()))) {
    if (isFirst) {
      const head = readHead(line);
      if (head === undefined) return 'corrupt';
      if (head.createdAtMs < nowMs - OLDEST_MS) return 'too_old';
    } else {
      const prefix = restoreLine(history, line, nowMs, prefixes);
      if (prefix === undefined || prefixes.size >= MAX_LINES) return 'corrupt';
      prefixes.add(prefix);
      // What was decompressed at once may have many lines.
      await nextTurn();
    }
    isFirst = false;
  }
  return isFirst ? 'corrupt' : 'success';
}

/** What comes out of `last` when `source` is put into it. @throws the error of either of them */
async function* piped(source: Readable, last: Gzip | Gunzip): AsyncGenerator<Buffer, void> {
  const done = pipeline(source, last);
  // The error is thrown by the loop, or by the line below it.
  done.catch(() => {});
  yield* last as AsyncIterable<Buffer>;
  await done;
}

async function* chunksOf(file: FileHandle): AsyncGenerator<Buffer, void> {
  for (;;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Lines that end with a line feed. @throws for one that is longer than any of ours, and when all are */
async function* linesIn(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void> {
  let parts: Buffer[] = [];
  let length = 0;
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > MAX_BYTES) throw new RangeError('more than a history can have');
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end));
      yield Buffer.concat(parts).toString('utf8');
      parts = [];
      length = 0;
      from = end + 1;
    }
    const rest = chunk.subarray(from);
    length += rest.length;
    if (length > MAX_LINE_BYTES) throw new RangeError('a line that is too long');
    if (rest.length > 0) parts.push(rest);
  }
}
