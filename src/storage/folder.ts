/** The folder that the snapshots are in: made when missing, and tried before anybody relies on it. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Makes a folder and those around it, unless they are there. Not by `recursive` of Node: on a file system that is read-only
 * it reports a missing file, and below some folders of the system it never returns.
 * @throws what the system says: of the first folder that could not be made
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(folder) !== folder) {
      await makeFolder(dirname(folder));
      await mkdir(folder).catch(unlessFolder(folder));
    } else await unlessFolder(folder)(error);
  }
}

/** Gives the error on, unless there is a folder all the same: it was there, or another process was faster. */
function unlessFolder(folder: string): (error: unknown) => Promise<void> {
  return async (error) => {
    const found = await stat(folder).catch(() => undefined);
    if (found?.isDirectory() === true) return;
    if (found !== undefined) throw Object.assign(new Error('it is no folder'), { code: 'ENOTDIR' });
    throw error;
  };
}

/**
 * Does once what every snapshot will need: makes the folder, writes a file in it, and removes that file.
 * @throws what the system says
 */
export async function tryFolder(folder: string): Promise<void> {
  await makeFolder(folder);
  // The name is random, because another exporter may do the same at this moment.
  const name = join(folder, `table.snapshot.${randomUUID()}.trial`);
  try {
    const file = await open(name, 'wx', 0o600);
    try {
      await file.writeFile('This file tries whether the folder can be written to.\n');
      await file.sync();
    } finally {
      await file.close();
    }
  } finally {
    await rm(name, { force: true });
  }
}
