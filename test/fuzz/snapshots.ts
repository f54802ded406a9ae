/** Snapshots, with a checksum that is right or not: refused, or a table whose totals are those of a recount. */
import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { checkSnapshot, encodeSnapshot, restoreSnapshot } from '../../src/table/snapshot/snapshot.ts';
import { keptOverall, keptTotals, recountedOverall, recountedTotals } from '../support/table-recount.ts';
import { START_MS, WATCHABLE, watchedPrefix } from '../support/table-world.ts';
import { mutatorOf } from './mutation.ts';
import { type FuzzTarget, runChecks } from './target.ts';

const newTable = (): RoutingTable => {
  const table = new RoutingTable({ maxVps: 8, maxMoreSpecifics: 4 });
  table.watch(
    WATCHABLE.map((text) => watchedPrefix(text)),
    START_MS,
  );
  return table;
};

function snapshotOf(vps: number): Buffer {
  const table = newTable();
  for (let i = 0; i < vps; i++) {
    const vp = table.addVp({ protocol: 'bgp', asn: 64_500 + i, ip: `198.51.100.${i}` });
    table.hear(vp, START_MS);
    for (const state of [...table.prefixes.states()].slice(0, 3)) {
      const path = table.paths.intern(`${64_500 + i} {64510,64511}`, 64_500 + i) ?? 0;
      table.announce(state, vp, path, i, START_MS * 1_000, START_MS);
      if (i % 3 === 2) table.withdraw(state, vp, START_MS * 1_000 + 1, START_MS);
      table.paths.discard(path);
    }
  }
  return Buffer.concat([
    ...encodeSnapshot(table, { createdAtMs: START_MS, completeUntil: { [WATCHABLE[0]]: START_MS }, final: true }),
  ]);
}

const WORDS = [
  ...[
    'null',
    '-1',
    '1e999',
    '[]',
    '{}',
    '"__proto__":',
    '"final":false',
    '"prefix":"',
    '"counters":',
    'NaN',
    '7258118400000',
    ',',
    '"',
    '}',
    ']',
  ],
  ...[
    '\u0000\u0000\u0000\u0000',
    '\u00ff\u00ff\u00ff\u00ff',
    '\u0001\u0000\u0000\u0000',
    '\u0000\u0000\u00f0\u007f',
    '\u0000\u0000\u00f8\u00ff',
  ],
];

export const SNAPSHOT_TARGET: FuzzTarget = {
  name: 'snapshot',
  share: 50,
  run: (runs, seed) => {
    const mutator = mutatorOf([snapshotOf(0), snapshotOf(1), snapshotOf(6)], WORDS, seed);
    return runChecks(runs, mutator.next, (input) => {
      const bytes = Buffer.from(input);
      if (bytes.length >= 12 && mutator.random() < 0.9)
        bytes.writeUInt32LE(crc32(bytes.subarray(0, -12)), bytes.length - 4);
      const check = checkSnapshot(bytes);
      if (!check.ok) return false;
      const table = newTable();
      try {
        restoreSnapshot(table, check, START_MS);
      } catch (error) {
        assert.ok(error instanceof Error);
        assert.equal(table.routes, 0);
        return false;
      }
      assert.deepEqual(keptOverall(table), recountedOverall(table));
      for (const one of table.prefixes.monitored()) {
        const { moreSpecifics: _, ...totals } = keptTotals(table, one);
        assert.deepEqual(totals, recountedTotals(table, one.state));
      }
      return true;
    });
  },
};
