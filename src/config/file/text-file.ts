/** Text files that a user names: read whole, up to a bound, and only when they are text. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { systemCode, systemReason } from '../../errors/system-error.ts';

/** A configuration of 10,000 prefixes with every origin and upstream is below it; `/dev/zero` is not. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

const FAULTS: Readonly<Record<string, string>> = {
  TOO_LARGE: `it is larger than ${MAX_FILE_BYTES / 1024 ** 2} MiB`,
  NOTHING_CAME: 'it is a pipe or device from which nothing came for 5 seconds',
  NOT_UTF8: 'it is not text in UTF-8',
};

/**
 * The bytes of a file. A pipe can be read too, as of `<(command)`; one that nobody writes to is empty, and one that stays
 * silent is given up.
 * @throws with a `code` that `fileFault` understands
 */
export function readBoundedFile(path: string): Buffer {
  const chunks: Buffer[] = [];
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let bytes = 0;
  // Without O_NONBLOCK, opening a named pipe would wait until somebody writes to it.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    for (;;) {
      const length = readPatiently(file, chunk);
      if (length === 0) break;
      bytes += length;
      if (bytes > MAX_FILE_BYTES) throw fault('TOO_LARGE');
      chunks.push(Buffer.from(chunk.subarray(0, length)));
    }
  } finally {
    closeSync(file);
  }
  return Buffer.concat(chunks);
}

const PATIENCE_MS = 5_000;
const PAUSE_MS = 10;

/** Waits a while for a pipe whose writer is there and has nothing to say yet. */
function readPatiently(file: number, chunk: Buffer): number {
  for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
    try {
      return readSync(file, chunk);
    } catch (error) {
      if (systemCode(error) !== 'EAGAIN') throw error;
      if (waitedMs >= PATIENCE_MS) throw fault('NOTHING_CAME');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}

/** The text of a file, without a byte order mark. Throws as `readBoundedFile` does. */
export function readTextFile(path: string): string {
  const bytes = readBoundedFile(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // A reader that accepts wrong UTF-8 would put U+FFFD into labels, or refuse a key for a reason that cannot be seen.
    throw fault('NOT_UTF8');
  }
}

/** What is wrong with a file, without its name. */
export function fileFault(error: unknown): string {
  return FAULTS[systemCode(error) ?? ''] ?? systemReason(error);
}

function fault(code: 'TOO_LARGE' | 'NOTHING_CAME' | 'NOT_UTF8'): Error {
  return Object.assign(new Error(FAULTS[code]), { code });
}
