/** What a disk can do to a snapshot. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parsePrefix } from '../../src/bgp/prefix.ts';
import { SnapshotStore } from '../../src/storage/snapshot-store.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';

const SCRIPT = fileURLToPath(new URL('./save-snapshot.ts', import.meta.url));
const PREFIX = '192.0.2.0/24';
const MORE_SPECIFIC = '192.0.2.128/25';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bgproutes-store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** In a process of its own whose files cannot grow beyond so many kilobytes, as on a disk that is full. */
function save(routes: number, kilobytes: number | 'unlimited'): string {
  // `ulimit -f` counts in blocks of 512 bytes, or of 1024 in some shells; a process that ignores the signal gets an error instead.
  const limit = kilobytes === 'unlimited' ? 'unlimited' : kilobytes * 2;
  const command = `trap '' XFSZ; ulimit -f ${limit}; exec "$0" "$@"`;
  const args = ['-c', command, process.execPath, '--import', 'tsx', SCRIPT, folder, String(routes)];
  return execFileSync('sh', args, { encoding: 'utf8', env: { ...process.env, TSX_DISABLE_CACHE: '1' } }).trim();
}

test('a snapshot that has no room on the disk leaves the former one in its place, and nothing else', async () => {
  expect(save(10, 'unlimited')).toBe('saved');
  const file = join(folder, 'table.snapshot');
  const former = readFileSync(file);
  // In a single write: it gets half of it done, which is no error to the system.
  expect(save(1_000, 32)).toBe('EFBIG');
  expect(readFileSync(file)).toEqual(former);
  expect(readdirSync(folder)).toEqual(['table.snapshot']);
  expect(save(1_000, 'unlimited')).toBe('saved');
  expect(readFileSync(file).length).toBeGreaterThan(64 * 1024);
}, 30_000);

function fresh(): RoutingTable {
  const table = new RoutingTable();
  const prefix = parsePrefix(PREFIX);
  if (prefix === undefined) throw new Error('not a prefix');
  table.watch([{ prefix, description: '', group: '', origins: [], upstreams: [], session: 0 }], Date.now());
  return table;
}

function section(kind: number, payload: Buffer | object): Buffer {
  const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload));
  const head = Buffer.alloc(8);
  head.writeUInt32LE(kind, 0);
  head.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

/** A prefix with one cell: of which VP, with which path. */
function cell(vp: number, path: number, prefix = PREFIX): Buffer {
  const json = Buffer.from(JSON.stringify({ prefix }));
  const bytes = Buffer.alloc(8 + json.length + 20);
  bytes.writeUInt32LE(json.length, 0);
  json.copy(bytes, 4);
  for (const [i, word] of [1, vp, path, 0].entries()) bytes.writeUInt32LE(word, 4 + json.length + i * 4);
  bytes.writeDoubleLE(1_000_000, 20 + json.length);
  return bytes;
}

function snapshotOf(...sections: Buffer[]): Buffer {
  const head = Buffer.concat([Buffer.from('bgproutes-table\n'), Buffer.from([1, 0, 0, 0])]);
  const bytes = Buffer.concat([head, ...sections]);
  const end = Buffer.alloc(4);
  end.writeUInt32LE(crc32(bytes));
  return Buffer.concat([bytes, section(0, end)]);
}

describe('a file whose checksum is right and whose contents make no sense never stops the start', () => {
  const META = section(1, { createdAtMs: Date.now(), completeUntil: {} });
  const VPS = section(2, [{ vp: { protocol: 'bgp', asn: 64_601, ip: '198.51.100.1' }, heardMs: Date.now() }]);
  const PATHS = section(3, [['64601 64500', null]]);
  const restore = async (bytes: Buffer) => {
    writeFileSync(join(folder, 'table.snapshot'), bytes);
    const table = fresh();
    return { table, outcome: await new SnapshotStore(folder).restore(table, Date.now(), 0) };
  };

  test('(and this is how it is built)', async () => {
    const { table, outcome } = await restore(snapshotOf(META, VPS, PATHS, section(4, cell(0, 1))));
    expect([outcome.result, table.routes]).toEqual(['success', 1]);
  });

  test.each([
    ['the head is no JSON', [section(1, Buffer.from('nonsense'))]],
    ['the head is null', [section(1, Buffer.from('null'))]],
    ['the head has no time', [section(1, {})]],
    ['a VP is none', [META, section(2, [{ vp: null, heardMs: 1 }])]],
    ['a prefix says that it is longer than it is', [META, VPS, section(4, Buffer.from([255, 255, 255, 127]))]],
    ['a prefix has less cells than it says', [META, VPS, PATHS, section(4, cell(0, 1).subarray(0, -8))]],
    [
      'a cell is of a VP that is not there',
      [META, VPS, PATHS, section(4, cell(0, 1)), section(4, cell(7, 1, MORE_SPECIFIC))],
    ],
    ['a cell has a path that is not there', [META, VPS, PATHS, section(4, cell(0, 7))]],
  ])('%s', async (_, sections) => {
    const { table, outcome } = await restore(snapshotOf(...sections));
    expect(outcome.result).toBe('corrupt');
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^table\.snapshot\.corrupt-\d+$/)]);
    expect([table.routes, table.paths.size, table.vps.size, table.vpsByProtocol.bgp]).toEqual([0, 0, 0, 0]);
    expect([...table.prefixes.monitored()].map((one) => one.state.prefix.text)).toEqual([PREFIX]);
  });
});

test('something that is no file is set aside, and not waited for', async () => {
  const file = join(folder, 'table.snapshot');
  execFileSync('mkfifo', [file]);
  const outcome = await new SnapshotStore(folder).restore(fresh(), Date.now(), 0);
  expect(outcome.result).toBe('foreign');
});

describe('the counters of a snapshot that a clean stop wrote', () => {
  const stopped = async (createdAtMs: number) => {
    const store = new SnapshotStore(folder);
    await store.save(fresh(), () => ({ createdAtMs, completeUntil: {}, final: true }));
    return store;
  };
  const goOn = async (store: SnapshotStore) => {
    const outcome = await store.restore(fresh(), Date.now(), 0);
    return outcome.result === 'success' ? outcome.meta.final : outcome.result;
  };

  test('go on once: whoever is killed after that finds them lower than they were seen', async () => {
    expect(await goOn(await stopped(1_000))).toBe(true);
    expect(await goOn(new SnapshotStore(folder))).toBe(false);
    expect(await goOn(new SnapshotStore(folder))).toBe(false);
  });

  test('go on again after the next clean stop', async () => {
    for (const createdAtMs of [1_000, 900, 12_345]) expect(await goOn(await stopped(createdAtMs))).toBe(true);
  });

  test('do not go on where that cannot be noted down; the table is restored all the same', async () => {
    const store = await stopped(1_000);
    mkdirSync(`${store.file}.resumed`);
    expect(await goOn(store)).toBe(false);
  });

  test('do not go on where a pipe stands in the place of the note, which would keep the start waiting', async () => {
    const store = await stopped(1_000);
    execFileSync('mkfifo', [`${store.file}.resumed`]);
    expect(await goOn(store)).toBe(false);
  });
});
