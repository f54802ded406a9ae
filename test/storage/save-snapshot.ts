/** Saves a table into the folder of its first argument, with so many routes as the second says; tells how that ended. */
import { parsePrefix } from '../../src/bgp/prefix.ts';
import { SnapshotStore } from '../../src/storage/snapshot-store.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';

const [folder, routes] = process.argv.slice(2);
const table = new RoutingTable();
const prefix = parsePrefix('192.0.2.0/24');
if (prefix === undefined) throw new Error('not a prefix');
table.watch([{ prefix, description: '', group: '', origins: [], upstreams: [], sessions: [0] }], 1);
const [state] = table.prefixes.states();
for (let i = 0; i < Number(routes); i++) {
  const vp = { protocol: 'bgp', asn: 4_200_000_000 + i, ip: `10.0.${i >> 8}.${i & 255}` } as const;
  const path = table.paths.intern(`${vp.asn} 64500`, vp.asn) ?? 0;
  table.announce(state, table.vps.add(vp), path, 0, 1_000_000, 1_000);
}
try {
  await new SnapshotStore(folder).save(table, () => ({ createdAtMs: Date.now(), completeUntil: {} }));
  console.log('saved');
} catch (error) {
  console.log((error as NodeJS.ErrnoException).code);
}
