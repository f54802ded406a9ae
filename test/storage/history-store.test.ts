import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TableHistory } from '../../src/history/table-history.ts';
import { HistoryStore } from '../../src/storage/history-store.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { START_MS, watchedPrefix } from '../support/table-world.ts';

const P = '198.51.100.0/24';
const DAY_MS = 86_400_000;

let folder: string;
let store: HistoryStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'history-'));
  store = new HistoryStore(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function rewrite(change: (lines: readonly string[]) => readonly string[]): void {
  const lines = gunzipSync(readFileSync(store.file)).toString().trimEnd().split('\n');
  writeFileSync(store.file, gzipSync(`${change(lines).join('\n')}\n`));
}

const manyPrefixes = () => Array.from({ length: 100_001 }, (_, i) => JSON.stringify({ prefix: `${i}` }));

function history(prefixes = [P]): TableHistory {
  const table = new RoutingTable();
  table.watch(
    prefixes.map((prefix) => watchedPrefix(prefix)),
    START_MS,
  );
  const made = new TableHistory({ table, maxPrefixes: 100, maxChanges: 10, now: () => START_MS });
  for (const _ of made.tick());
  return made;
}

describe('the file of the history', () => {
  it('brings back what was sampled, and leaves nothing else behind', async () => {
    const saved = history([P, '203.0.113.0/24']);
    await store.save(saved, START_MS, 0);
    expect(readdirSync(folder)).toEqual(['history.snapshot']);
    const restored = new TableHistory({
      ...{ table: new RoutingTable(), maxPrefixes: 100, maxChanges: 10, now: () => START_MS },
    });
    expect(await store.restore(restored, START_MS)).toBe('success'); // of prefixes that nobody monitors nothing is taken
    const other = history();
    expect(await store.restore(other, START_MS)).toBe('success');
    expect(other.of(P)?.read('1h', START_MS)).toEqual(saved.of(P)?.read('1h', START_MS));
  });

  it('may be missing, or too old', async () => {
    expect(await store.restore(history(), START_MS)).toBe('missing');
    await store.save(history(), START_MS, 0);
    expect(await store.restore(history(), START_MS + 8 * DAY_MS)).toBe('too_old');
  });

  it.each([
    ['cut', () => truncateSync(store.file, readFileSync(store.file).length - 9)],
    ['empty', () => truncateSync(store.file, 0)],
    ['not compressed', () => writeFileSync(store.file, gunzipSync(readFileSync(store.file)))],
    ['of another format', () => writeFileSync(store.file, gzipSync('{"format":"other"}\n'))],
    ['with a prefix twice', () => rewrite((lines) => [...lines, lines[1]])],
    ['with a prefix longer than any', () => rewrite((lines) => [...lines, JSON.stringify({ prefix: 'x'.repeat(50) })])],
    ['with more prefixes than can be', () => rewrite((lines) => [lines[0], ...manyPrefixes()])],
    ['with a line longer than any', () => rewrite((lines) => [...lines, ' '.repeat(4 * 1024 ** 2 + 1)])],
    ['without a line', () => writeFileSync(store.file, gzipSync(''))],
    ['of endless lines', () => writeFileSync(store.file, gzipSync(Buffer.alloc(64 * 1024 ** 2, 'a')))],
    [
      'a pipe',
      () => {
        rmSync(store.file);
        execFileSync('mkfifo', [store.file]);
      },
    ],
  ])('is set aside when it is %s', async (_, spoil) => {
    await store.save(history(), START_MS, 0);
    spoil();
    expect(await store.restore(history(), START_MS)).toBe('corrupt');
    expect(readdirSync(folder)).toEqual([`history.snapshot.corrupt-${START_MS}`]);
  });
});
