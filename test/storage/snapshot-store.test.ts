/** What a disk can do to a snapshot. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

it('a snapshot that has no room on the disk leaves the earlier one in its place, and nothing else', async () => {
  expect(save(10, 'unlimited')).toBe('saved');
  const file = join(folder, 'table.snapshot');
  const former = readFileSync(file);
  // In a single write: it gets half of it done, which is no error to the system.
  expect(save(1_000, 32)).toBe('EFBIG');
  expect(readFileSync(file)).toEqual(former);
  expect(readdirSync(folder)).toEqual(['table.snapshot']);
  expect(save(1_000, 'unlimited')).toBe('saved');
  expect(readFileSync(file).length).toBeGreaterThan(64 * 1024);
});

function fresh(): RoutingTable {
  const table = new RoutingTable();
  const prefix = parsePrefix(PREFIX);
  if (prefix === undefined) throw new Error('not a prefix');
  table.watch([{ prefix, description: '', group: '', origins: [], upstreams: [], sessions: [0] }], Date.now());
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
function cell(vp: number, path: number, prefix = PREFIX, timeUs = 1_000_000, more = {}): Buffer {
  const json = Buffer.from(JSON.stringify({ prefix, ...more }));
  const bytes = Buffer.alloc(8 + json.length + 20);
  bytes.writeUInt32LE(json.length, 0);
  json.copy(bytes, 4);
  for (const [i, word] of [1, vp, path, 0].entries()) bytes.writeUInt32LE(word, 4 + json.length + i * 4);
  bytes.writeDoubleLE(timeUs, 20 + json.length);
  return bytes;
}

/** A prefix with two cells of the same VP. */
function twoCells(): Buffer {
  const json = Buffer.from(JSON.stringify({ prefix: PREFIX }));
  const bytes = Buffer.alloc(8 + json.length + 40);
  bytes.writeUInt32LE(json.length, 0);
  json.copy(bytes, 4);
  for (const [i, word] of [2, 0, 0, 1, 1, 0, 0].entries()) bytes.writeUInt32LE(word, 4 + json.length + i * 4);
  for (const at of [32, 40]) bytes.writeDoubleLE(1_000_000, at + json.length);
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
  const CELL = section(4, cell(0, 1));
  const COUNTERS = {
    ...{ sinceMs: 1, announcements: 1, withdrawals: 0, pathChanges: 0, originChanges: 0, repeats: 0, gains: 1 },
    ...{ losses: {}, announcedLengths: [], announcedLengthSum: 2, lastAnnouncementUs: 1, lastWithdrawalUs: 0 },
  };
  const counted = (counters: object) => section(4, cell(0, 1, PREFIX, 1, { counters }));
  const restore = async (bytes: Buffer) => {
    writeFileSync(join(folder, 'table.snapshot'), bytes);
    const table = fresh();
    return { table, outcome: await new SnapshotStore(folder).restore(table, Date.now(), 0) };
  };

  it('(and this is how it is built)', async () => {
    const { table, outcome } = await restore(snapshotOf(META, VPS, PATHS, section(4, cell(0, 1))));
    expect([outcome.result, table.routes]).toEqual(['success', 1]);
    const twice = await restore(snapshotOf(META, VPS, PATHS, counted(COUNTERS)));
    expect([twice.outcome.result, twice.table.routes]).toEqual(['success', 1]);
  });

  it.each([
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
    ['nothing says what was complete', [section(1, { createdAtMs: 1, completeUntil: null }), VPS, PATHS, CELL]],
    ['a list says what was complete', [section(1, { createdAtMs: 1, completeUntil: [] }), VPS, PATHS, CELL]],
    ['a prefix was complete until null', [section(1, { createdAtMs: 1, completeUntil: { [PREFIX]: null } }), VPS]],
    [
      'what was complete is no prefix',
      [section(1, Buffer.from('{"createdAtMs":1,"completeUntil":{"__proto__":1}}')), VPS, PATHS, CELL],
    ],
    ['a VP is there twice', [META, VPS, VPS, PATHS, CELL]],
    [
      'a VP has an address that is none',
      [META, section(2, [{ vp: { protocol: 'bgp', asn: 1, ip: 'x' }, heardMs: 1 }])],
    ],
    ['a VP was heard at no time', [META, section(2, [{ vp: { protocol: 'bgp', asn: 1, ip: '192.0.2.1' } }])]],
    ['a prefix has two cells of a VP', [META, VPS, PATHS, section(4, twoCells())]],
    ['a cell has no time', [META, VPS, PATHS, section(4, cell(0, 1, PREFIX, Number.NaN))]],
    ['a cell has a time without end', [META, VPS, PATHS, section(4, cell(0, 1, PREFIX, Number.POSITIVE_INFINITY))]],
    ['a cell is of before 1970', [META, VPS, PATHS, section(4, cell(0, 1, PREFIX, -1))]],
    ['a prefix is none', [META, VPS, PATHS, section(4, cell(0, 1, '__proto__'))]],
    ['a prefix is listed by null', [META, VPS, PATHS, section(4, cell(0, 1, MORE_SPECIFIC, 1, { listedBy: [null] }))]],
    ['a counter is a text', [META, VPS, PATHS, counted({ ...COUNTERS, repeats: '1' })]],
    ['a counter is missing', [META, VPS, PATHS, counted({ ...COUNTERS, gains: undefined })]],
    ['losses are none', [META, VPS, PATHS, counted({ ...COUNTERS, losses: { withdrawn: -1 } })]],
    ['lengths are texts', [META, VPS, PATHS, counted({ ...COUNTERS, announcedLengths: ['1'] })]],
    ['a path is a number', [META, VPS, section(3, [[1, null]]), CELL]],
    [
      'paths are there that no route has',
      [
        META,
        VPS,
        section(3, [
          ['64601 64500', null],
          ['64601 1', null],
        ]),
        CELL,
      ],
    ],
    ['a prefix is there twice', [META, VPS, PATHS, CELL, CELL]],
    ['there are many lists without VPs', [META, section(2, []), section(2, []), VPS, PATHS, CELL]],
    ['a path has the origin of another VP', [META, VPS, section(3, [['', 64_602]]), CELL]],
    ['a path has no origin', [META, VPS, section(3, [['', null]]), CELL]],
    ['VPs come after a prefix', [META, VPS, PATHS, CELL, section(2, [])]],
    ['a section is of another kind', [META, VPS, section(9, Buffer.alloc(0)), PATHS, CELL]],
    ['there is a second head', [META, META, VPS, PATHS, CELL]],
    ['a section is empty', [META, VPS, section(3, Buffer.alloc(0)), PATHS, CELL]],
    ['JSON is deep', [META, section(2, Buffer.from('['.repeat(5_000) + ']'.repeat(5_000)))]],
    ['JSON is hardly more than brackets', [META, section(2, Buffer.from(`[${'[],'.repeat(5_000)}[]]`))]],
  ])('%s', async (_, sections) => {
    const { table, outcome } = await restore(snapshotOf(...sections));
    expect(outcome.result).toBe('corrupt');
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^table\.snapshot\.corrupt-\d+$/)]);
    expect([table.routes, table.paths.size, table.vps.size, table.vpsByProtocol.bgp]).toEqual([0, 0, 0, 0]);
    expect([...table.prefixes.monitored()].map((one) => one.state.prefix.text)).toEqual([PREFIX]);
  });
});

it('a snapshot that is ahead of the clock is used, but nothing in it counts as complete', async () => {
  const nowMs = Date.now();
  const store = new SnapshotStore(folder);
  for (const [aheadMs, known] of [
    [30_000, true],
    [90_000, false],
  ] as const) {
    const createdAtMs = nowMs + aheadMs;
    await store.save(fresh(), () => ({ createdAtMs, completeUntil: { [PREFIX]: createdAtMs + 5 } }));
    const outcome = await store.restore(fresh(), nowMs, 0);
    const completeUntil = outcome.result === 'success' ? outcome.meta.completeUntil : undefined;
    expect(completeUntil).toEqual(known ? { [PREFIX]: createdAtMs } : {});
  }
});

it('a file of more than 2 GiB is set aside without reading it', async () => {
  const file = openSync(join(folder, 'table.snapshot'), 'w');
  ftruncateSync(file, 2 ** 31);
  closeSync(file);
  const outcome = await new SnapshotStore(folder).restore(fresh(), Date.now(), 0);
  expect(outcome.result).toBe('foreign');
});

it('something that is no file is set aside, and not waited for', async () => {
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

  it('go on once: whoever is killed after that finds them lower than they were seen', async () => {
    expect(await goOn(await stopped(1_000))).toBe(true);
    expect(await goOn(new SnapshotStore(folder))).toBe(false);
    expect(await goOn(new SnapshotStore(folder))).toBe(false);
  });

  it('go on again after the next clean stop', async () => {
    for (const createdAtMs of [1_000, 900, 12_345]) expect(await goOn(await stopped(createdAtMs))).toBe(true);
  });

  it('do not go on where that cannot be noted down; the table is restored all the same', async () => {
    const store = await stopped(1_000);
    mkdirSync(`${store.file}.resumed`);
    expect(await goOn(store)).toBe(false);
  });

  it('do not go on if the file of the note is a pipe, and reading it does not hold up the start', async () => {
    const store = await stopped(1_000);
    execFileSync('mkfifo', [`${store.file}.resumed`]);
    expect(await goOn(store)).toBe(false);
  });
});
