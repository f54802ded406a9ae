import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderLock } from '../../src/storage/folder-lock.ts';
import { SnapshotStore } from '../../src/storage/snapshot-store.ts';

let folder: string;
let file: string;
const locks: FolderLock[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bgproutes-lock-'));
  file = join(folder, 'table.snapshot.lock');
});
afterEach(async () => {
  await Promise.all(locks.splice(0).map((lock) => lock.release()));
  rmSync(folder, { recursive: true, force: true });
});

function lock(options = { beatMs: 60_000, watchMs: 40 }): FolderLock {
  const one = new FolderLock(folder, options);
  locks.push(one);
  return one;
}

/** As another container wrote it, whose processes we cannot look at. */
function elsewhere(): void {
  writeFileSync(file, JSON.stringify({ token: 'theirs', pid: 1, host: 'host-a', place: 'another', began: '7' }));
}

describe('a folder', () => {
  it('is held by one at a time, who is named, and free when he releases it', async () => {
    const [first, second] = [lock(), lock()];
    expect(await first.take(true)).toBeUndefined();
    expect(await first.take(false)).toBeUndefined();
    expect(await second.take(true)).toBe(`process ${process.pid} on ${hostname()}`);
    await first.release();
    expect(existsSync(file)).toBe(false);
    expect(await second.take(false)).toBeUndefined();
    expect([await first.isHeld(), await second.isHeld()]).toEqual([false, true]);
  });

  it('of a process that was killed is free at once, also when its number is used again', async () => {
    expect(await lock().take(false)).toBeUndefined();
    const mine = JSON.parse(readFileSync(file, 'utf8')) as object;
    const other = spawn('sleep', ['60']);
    writeFileSync(file, JSON.stringify({ ...mine, token: 'theirs', pid: other.pid, began: '1' }));
    expect(await lock().take(false)).toBeUndefined();
    const gone = new Promise((resolve) => other.once('exit', resolve));
    other.kill('SIGKILL');
    await gone;
    writeFileSync(file, JSON.stringify({ ...mine, token: 'theirs', pid: other.pid }));
    expect(await lock().take(false)).toBeUndefined();
  });

  it('of a container that is gone is free after some seconds', async () => {
    elsewhere();
    expect(await lock().take(false)).toBe('process 1 on host-a');
    expect(await lock().take(true)).toBeUndefined();
  });

  it('of a container that lives stays its own: it touches the file', async () => {
    elsewhere();
    const one = lock({ beatMs: 60_000, watchMs: 60_000 });
    expect(await one.take(false)).toBe('process 1 on host-a');
    utimesSync(file, new Date(), new Date(1_000_000));
    // Would wait for a minute, did it not see that the file was touched.
    expect(await one.take(true)).toBe('process 1 on host-a');
  });

  it('is free after a file that makes no sense, and its name is not printed', async () => {
    writeFileSync(file, JSON.stringify({ pid: 1, host: 'evil\nlevel=error' }));
    expect(await lock().take(false)).toBe('process 0 on an unknown host');
    writeFileSync(file, 'x');
    expect(await lock().take(true)).toBeUndefined();
  });

  it('that cannot be written to keeps nobody waiting', async () => {
    expect(await new FolderLock(join(folder, 'missing')).take(true)).toBeUndefined();
  });
});

describe('the store', () => {
  it('removes what killed writers left behind when it takes the folder, and nothing else', async () => {
    const kept = ['table.snapshot', 'table.snapshot.corrupt-7', 'table.snapshot.resumed', 'notes.tmp'];
    const left = [
      'table.snapshot.tmp',
      'table.snapshot.1f-2e.tmp',
      'table.snapshot.1f-2e.trial',
      'table.snapshot.trial',
    ];
    for (const name of [...kept, ...left]) writeFileSync(join(folder, name), '');
    mkdirSync(join(folder, 'table.snapshot.folder'));
    const store = new SnapshotStore(folder);
    expect(await store.lock(true)).toBeUndefined();
    expect(readdirSync(folder).sort()).toEqual([...kept, 'table.snapshot.folder', 'table.snapshot.lock'].sort());
    await store.unlock();
  });
});
