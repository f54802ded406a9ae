/** Text files that a user names: read whole, up to a bound, and only when they are text. */
import { closeSync, openSync, readSync } from 'node:fs';
import { systemCode, systemReason } from '../system-error.ts';

/** A configuration of 10,000 prefixes with every origin and upstream is below it; `/dev/zero` is not. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

const FAULTS: Readonly<Record<string, string>> = {
  TOO_LARGE: `it is larger than ${MAX_FILE_BYTES / 1024 ** 2} MiB`,
  NOT_UTF8: 'it is not text in UTF-8',
};

/**
 * The bytes of a file. Pipes can be read too.
 * @throws with a `code` that `fileFault` understands
 */
export function readBoundedFile(path: string): Buffer {
  const chunks: Buffer[] = [];
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let bytes = 0;
  const file = openSync(path, 'r');
  try {
    for (;;) {
      const length = readSync(file, chunk);
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

/** The text of a file, without a byte order mark. Throws as `readBoundedFile` does. */
export function readTextFile(path: string): string {
  const bytes = readBoundedFile(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // A lenient reader would put U+FFFD into labels, or refuse a key for a reason that nobody can see.
    throw fault('NOT_UTF8');
  }
}

/** What is wrong with a file, without its name. */
export function fileFault(error: unknown): string {
  return FAULTS[systemCode(error) ?? ''] ?? systemReason(error);
}

function fault(code: 'TOO_LARGE' | 'NOT_UTF8'): Error {
  return Object.assign(new Error(FAULTS[code]), { code });
}
