/** A recording of bgproutes.io is told by the stand-in for RIS Live too. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { RisLiveClient } from '../../../src/ris-live/client.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const P = '198.51.100.0/24';
const V6 = '2001:db8:10::/48';
const VP = '64499_192.0.2.1';
const LINES = [
  { vp: VP, sec: 1_700_000_000, prefixes: P, 'as-path': '64499 {64501,64502}', communities: '64499:3', origin: 'IGP' },
  { vp: VP, sec: 1_700_000_001, prefixes: V6, 'as-path': '64499 64500', nexthop: '2001:db8::1' },
  { vp: VP, sec: 1_700_000_002, withdraws: V6 },
  { vp: VP, sec: 1_700_000_003, withdraws: P },
];

it('in its form, in order, and each client gets what it has subscribed to', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bgproutes-replay-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const replay = join(folder, 'recording.jsonl');
  writeFileSync(replay, LINES.map((line) => `${JSON.stringify({ record_type: 'update', ...line })}\n`).join(''));
  const simulator = await startSimulator({ apiKeys: ['unused'], replay, speed: 'max' });
  cleanups.push(() => simulator.stop());
  const client = new RisLiveClient({ client: 'test', url: `${simulator.websocketUrl}/v1/ws/` });
  const told: string[] = [];
  for await (const message of client.messages({ prefixes: [P, V6] })) {
    const path = message.type === 'announcement' ? ` ${message.asPath}` : '';
    told.push(`${message.type} ${message.vp.asn} ${message.vp.ip} ${message.prefixes.join()}${path}`);
    if (told.length === LINES.length) break;
  }
  expect(told).toEqual([
    `announcement 64499 192.0.2.1 ${P} 64499 {64501,64502}`,
    `announcement 64499 192.0.2.1 ${V6} 64499 64500`,
    `withdrawal 64499 192.0.2.1 ${V6}`,
    `withdrawal 64499 192.0.2.1 ${P}`,
  ]);
});
