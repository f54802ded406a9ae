/** Files that are read in parts and without a bound on time: only regular ones, which neither block nor go on for ever. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/**
 * Opens a file for reading; the caller closes it.
 * A pipe that nobody writes to would keep a thread of Node's until somebody does, and then the process could not even end.
 * @throws with the system's `code`, or `NO_REGULAR_FILE` for a pipe, a device, a socket; a folder is EISDIR
 */
export async function openRegularFile(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const state = await file.stat();
    if (state.isDirectory()) throw withCode('EISDIR');
    if (!state.isFile()) throw withCode('NO_REGULAR_FILE');
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function withCode(code: 'EISDIR' | 'NO_REGULAR_FILE'): Error {
  return Object.assign(new Error(code), { code });
}
