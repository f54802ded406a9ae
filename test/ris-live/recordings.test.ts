/** Recordings of real data that go through RIS Live and RIPEstat lead to what the file says, and to what bgproutes.io leads to. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readRib } from '../../src/feed/seed/history-readers.ts';
import { SessionFeed } from '../../src/feed/session-feed.ts';
import { RisDecoder } from '../../src/ris-live/decoder.ts';
import { RipestatClient } from '../../src/ris-live/ripestat/client.ts';
import { RipestatHistory } from '../../src/ris-live/ripestat/history.ts';
import { createStreamStats } from '../../src/stream/stream-health.ts';
import { systemTimers } from '../../src/stream/timers.ts';
import { Fold } from '../../src/table/fold.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { httpServer } from '../http/http-test-server.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { readLines, recordingPath } from '../support/recordings.ts';
import { Replay } from '../support/replay.ts';
import { keptTotals } from '../support/table-recount.ts';
import { watchedPrefix } from '../support/table-world.ts';
import { envelope, rrcInfo } from './ripestat/world.ts';

interface Line {
  readonly vp: string;
  readonly sec: number;
  readonly Usec: number;
  readonly prefixes?: string;
  readonly withdraws?: string;
  readonly 'as-path'?: string;
  readonly communities?: string;
}

/** A message of bgproutes.io as RIS Live writes it today. */
function risFrame(line: Line): string {
  const [asn, ip] = line.vp.split('_');
  const path = (line['as-path'] ?? '').split(' ').filter((hop) => hop !== '');
  const communities = (line.communities ?? '').split(' ').filter((text) => /^\d+:\d+$/.test(text));
  const announced = (line.prefixes ?? '').split(',').filter((text) => text !== '');
  const data = {
    ...{ timestamp: line.sec + line.Usec / 1e6, peer: ip, peer_asn: asn, id: `${ip}-0`, host: 'rrc00.ripe.net' },
    type: 'UPDATE',
    path: path.map((hop) => (hop.startsWith('{') ? (hop.match(/\d+/g) ?? []).map(Number) : Number(hop))),
    community: communities.map((text) => text.split(':').map(Number)),
    announcements: announced.length === 0 ? [] : [{ next_hop: ip, prefixes: announced }],
    withdrawals: (line.withdraws ?? '')
      .split(',')
      .filter((text) => text !== '')
      .map(expanded),
  };
  return JSON.stringify({ type: 'ris_message', data });
}

/** `2001:67c:4e8::/48` as `2001:67c:4e8:0:0:0:0:0/48`. */
function expanded(prefix: string): string {
  const [address, length] = prefix.split('/');
  const [head, tail] = address.split('::');
  if (tail === undefined) return prefix;
  const words = (text: string) => text.split(':').filter((word) => word !== '');
  const missing = 8 - words(head).length - words(tail).length;
  return `${[...words(head), ...new Array<string>(missing).fill('0'), ...words(tail)].join(':')}/${length}`;
}

function totals(table: RoutingTable, prefix: string) {
  const monitored = table.prefixes.find(prefix)!.monitored!;
  const { visible, origins, lengths } = keptTotals(table, monitored);
  const { announcements, withdrawals, pathChanges, originChanges, repeats, gains, losses } = monitored;
  return { visible, origins, lengths, announcements, withdrawals, pathChanges, originChanges, repeats, gains, losses };
}

const hijack = recordingPath('tenpfx-telegram-hijack-20260616.jsonl.gz');
describe.runIf(hijack !== undefined)('the hijack of 2026-06-16 as frames of RIS Live', () => {
  it('gives the counts that it gives through bgproutes.io', () => {
    const texts = readLines(hijack!);
    const lines = texts.map((text) => JSON.parse(text) as Line);
    const prefixes = [
      ...new Set(lines.flatMap(({ prefixes, withdraws }) => `${prefixes ?? ''},${withdraws ?? ''}`.split(','))),
    ].filter((text) => text !== '');
    const watched = prefixes.map((text) => watchedPrefix(text));
    const through = new Replay({ watched, startMs: 0 });
    through.play(texts);

    const table = new RoutingTable();
    table.watch(watched, 0);
    const feed = new SessionFeed({
      ...{ session: 0, stream: createStreamStats('ris-live', '0', 0), decoder: new RisDecoder() },
      ...{ fold: new Fold(table), logger: new RecordingLogger() },
    });
    for (const line of lines) feed.frames([Buffer.from(risFrame(line))], line.sec * 1000 + line.Usec / 1000 + 800);

    expect(Object.values(feed.decodeFailures).reduce((sum, count) => sum + count, 0)).toBe(0);
    expect(prefixes).toHaveLength(10);
    for (const prefix of prefixes)
      expect([prefix, totals(table, prefix)]).toEqual([prefix, totals(through.table, prefix)]);
    const attacked = totals(table, '95.161.64.0/20');
    expect(attacked.announcements).toBeGreaterThan(100);
  });
});

interface StateRow {
  readonly target_prefix: string;
  readonly source_id: string;
  readonly path: readonly number[];
}

describe.each([
  ['95.161.64.0/20', 'ripestat-bgp-state-95.161.64.0_20-20260616.json.gz', '2026-06-16T16:30:00'],
  ['2a0a:f280::/32', 'ripestat-bgp-state-2a0a_f280_32-20260616.json.gz', '2026-06-16T17:00:00'],
])('what RIPEstat told of %s', (prefix, file, time) => {
  const path = recordingPath(file);
  it.runIf(path !== undefined)('seeds a table that equals a recount of the answer', async () => {
    const body = gunzipSync(readFileSync(path!)).toString();
    const rows = (JSON.parse(body) as { data: { bgp_state: readonly StateRow[] } }).data.bgp_state;
    const peers = rows.map(({ source_id, path: [asn] }) => {
      const [rrc, ip] = [source_id.slice(0, 2), source_id.slice(3)];
      return { rrc: Number(rrc), ip, asn, v4: 900_000, v6: 200_000 };
    });
    const server = await httpServer((request, response) => {
      const call = request.url.pathname.split('/')[2];
      if (call === 'bgp-state') response.end(body);
      else response.end(envelope(call === 'rrc-info' ? rrcInfo(peers) : { prefixes: [] }));
    });
    try {
      const log = new RecordingLogger();
      const client = new RipestatClient({ baseUrl: server.url, sourceApp: 'test', settings: { intervalMs: 0 }, log });
      const history = new RipestatHistory({ client, timers: systemTimers, log });
      const { signal } = new AbortController();
      const atMs = Date.parse(`${time}Z`) - 10_000;
      const table = new RoutingTable();
      table.watch([watchedPrefix(prefix)], atMs);
      await readRib(table, 0, history.rib(await history.vantagePoints(signal), [prefix], atMs, signal), atMs);

      const byVp = new Map(rows.map(({ source_id, path: hops }) => [`${hops[0]} ${source_id.slice(3)}`, hops]));
      const origins: Record<string, number> = {};
      for (const hops of byVp.values()) {
        const origin = String(hops.at(-1));
        origins[origin] = (origins[origin] ?? 0) + 1;
      }
      const kept = keptTotals(table, table.prefixes.find(prefix)!.monitored!);
      expect(byVp.size).toBeGreaterThan(100);
      expect([kept.visible, kept.origins]).toEqual([byVp.size, origins]);
    } finally {
      await server.close();
    }
  });
});
