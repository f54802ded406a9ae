import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { tryFolder } from '../../src/storage/folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bgproutes-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a folder is made with those around it, and nothing is left in it', async () => {
  const path = join(folder, 'a', 'b', 'c');
  await tryFolder(path);
  await tryFolder(path);
  expect(readdirSync(path)).toEqual([]);
});

it('several starts at the same moment try it, each for itself', async () => {
  await Promise.all(Array.from({ length: 20 }, () => tryFolder(folder)));
  expect(readdirSync(folder)).toEqual([]);
});

it.each([
  ['a file in its place', 'file', 'ENOTDIR'],
  ['a file in the place of a folder around it', join('file', 'data'), 'ENOTDIR'],
])('%s: the reason is the true one', async (_, path, code) => {
  writeFileSync(join(folder, 'file'), '');
  await expect(tryFolder(join(folder, path))).rejects.toMatchObject({ code });
});
