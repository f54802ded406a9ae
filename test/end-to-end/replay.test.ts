/** Recordings through real sockets into the table: the counts are those of an independent recount, and nothing is lost. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it, vi } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { type RunningExporter, startExporter } from '../../src/exporter.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { until } from '../support/patience.ts';
import { readLines, recordingPath } from '../support/recordings.ts';
import { samples, temporaryFolder } from './world.ts';

interface Line {
  readonly vp: string;
  readonly prefixes?: string;
  readonly withdraws?: string;
  readonly 'as-path'?: string;
}

/** Prefix -> VP -> last AS of the path, read from the lines by nothing but JSON.parse and split. */
function recount(lines: readonly string[]): Map<string, Map<string, string>> {
  const table = new Map<string, Map<string, string>>();
  for (const line of lines) {
    const { vp, prefixes, withdraws, ...rest } = JSON.parse(line) as Line;
    for (const prefix of withdraws?.split(',') ?? []) table.get(prefix)?.delete(vp);
    for (const prefix of prefixes?.split(',') ?? []) {
      if (!table.has(prefix)) table.set(prefix, new Map());
      const path = rest['as-path'] ?? '';
      const last = path.endsWith('}') ? path.slice(path.lastIndexOf('{')) : (path.split(' ').at(-1) ?? '');
      table.get(prefix)?.set(vp, last.replace(/^\{(\d+)\}$/, '$1'));
    }
  }
  return table;
}

async function exporterFor(
  simulator: { url: string; websocketUrl: string },
  prefixes: readonly string[],
): Promise<RunningExporter> {
  const text = `
prefixes: [${prefixes.map((prefix) => `{prefix: "${prefix}"}`).join(', ')}]
bgproutes:
  api_keys: [replay-key]
  prefixes_per_key: 10000
  websocket_url: ${simulator.websocketUrl}
  live_manager_url: ${simulator.url}
  data_api_url: ${simulator.url}
web: {listen_address: "127.0.0.1:0"}
table: {seed: false}
`;
  const config = loadConfig({ flags: { 'config.file': 'replay.yml' }, env: {}, readFile: () => text });
  return startExporter(config, {
    logger: new RecordingLogger(),
    version: { version: '0.0.0', revision: 'test', nodeVersion: '0' },
  });
}

async function expectRecount(path: string, prefixes: readonly string[]): Promise<void> {
  const lines = readLines(path);
  const truth = recount(lines);
  const simulator = await startSimulator({
    apiKeys: ['replay-key'],
    replay: path,
    speed: 'max',
    maxPrefixes: prefixes.length,
  });
  const exporter = await exporterFor(simulator, prefixes);
  try {
    await simulator.replayFinished;
    await until(() =>
      expect(exporter.table.routes).toBe(prefixes.reduce((sum, prefix) => sum + (truth.get(prefix)?.size ?? 0), 0)),
    );
    const now = await samples(exporter);
    for (const prefix of prefixes) {
      const origins = new Map<string, number>();
      for (const origin of truth.get(prefix)?.values() ?? []) origins.set(origin, (origins.get(origin) ?? 0) + 1);
      const ours = [...now].filter(([name]) => name.startsWith(`bgp_prefix_origin_vps{prefix="${prefix}",`));
      const byOrigin = new Map(ours.map(([name, value]) => [/origin_as="([^"]*)"/.exec(name)?.[1], value]));
      expect(byOrigin, prefix).toEqual(origins);
      expect(now.get(`bgp_prefix_visible_vps{prefix="${prefix}"}`)).toBe(truth.get(prefix)?.size ?? 0);
    }
    expect([...now].filter(([name, value]) => /decode_failures|dropped_events/.test(name) && value > 0)).toEqual([]);
  } finally {
    await exporter.stop();
    await simulator.stop();
  }
}

/** A small hijack: 40 VPs announce, 15 of them move to another origin, 5 withdraw, 3 of these come back. */
function smallHijack(): string {
  const line = (vp: number, sec: number, fields: object) =>
    JSON.stringify({ record_type: 'update', vp: `${64_600 + vp}_192.0.2.${vp}`, sec, Usec: 0, ...fields });
  const lines: string[] = [];
  for (let vp = 1; vp <= 40; vp++)
    lines.push(
      line(vp, 1_700_000_000 + vp, {
        prefixes: '203.0.113.0/24,2001:db8:5::/48',
        'as-path': `${64_600 + vp} 64500 64501`,
      }),
    );
  for (let vp = 1; vp <= 15; vp++)
    lines.push(line(vp, 1_700_000_100 + vp, { prefixes: '203.0.113.0/24', 'as-path': `${64_600 + vp} 64510 64666` }));
  for (let vp = 10; vp <= 14; vp++) lines.push(line(vp, 1_700_000_200 + vp, { withdraws: '203.0.113.0/24' }));
  for (let vp = 12; vp <= 14; vp++)
    lines.push(line(vp, 1_700_000_300 + vp, { prefixes: '203.0.113.0/24', 'as-path': `${64_600 + vp} 64510 {64666}` }));
  return `${lines.join('\n')}\n`;
}

it('a small hijack of our own gives the counts of an independent recount', async () => {
  const path = join(temporaryFolder(), 'hijack.jsonl');
  writeFileSync(path, smallHijack());
  await expectRecount(path, ['203.0.113.0/24', '2001:db8:5::/48']);
});

const HIJACK = recordingPath('tenpfx-telegram-hijack-20260616.jsonl.gz');
if (HIJACK !== undefined) {
  it('the recorded hijack gives the counts of an independent recount, for each prefix and origin', async () => {
    const counts = new Map<string, number>();
    for (const line of readLines(HIJACK)) {
      for (const prefix of (JSON.parse(line) as Line).prefixes?.split(',') ?? [])
        counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
    const ten = [...counts]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 10)
      .map(([prefix]) => prefix);
    expect(ten).toHaveLength(10);
    await expectRecount(HIJACK, ten);
  });
}

/** Enough messages of enough prefixes to loop: the recording where it is there, else one made here. */
function longRecording(): string {
  const recorded = recordingPath('updates-rv-route-views2-20260222T1530.jsonl.gz');
  if (recorded !== undefined) return recorded;
  const path = join(temporaryFolder(), 'long.jsonl');
  const lines: string[] = [];
  for (let i = 0; i < 40_000; i++) {
    const prefix = `198.${18 + (i % 2)}.${(i >> 1) % 256}.0/24`;
    const vp = `${64_000 + (i % 37)}_192.0.2.${i % 37}`;
    const fields =
      i % 9 === 0
        ? { withdraws: prefix }
        : { prefixes: prefix, 'as-path': `${64_000 + (i % 37)} ${64_100 + (i % 11)} ${64_500 + (i % 3)}` };
    lines.push(JSON.stringify({ record_type: 'update', vp, sec: 1_700_000_000 + (i >> 4), Usec: i % 1000, ...fields }));
  }
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

it('200,000 events of a looped recording with 1,000 monitored prefixes pass from socket to table; nothing is lost and memory stays flat', async () => {
  const path = longRecording();
  const counts = new Map<string, number>();
  for (const line of readLines(path)) {
    const { prefixes, withdraws } = JSON.parse(line) as Line;
    for (const list of [prefixes, withdraws])
      for (const prefix of list?.split(',') ?? []) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  const monitored = [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 1_000)
    .map(([prefix]) => prefix);
  const simulator = await startSimulator({
    apiKeys: ['replay-key'],
    replay: path,
    speed: 'max',
    loop: true,
    maxPrefixes: 1_000,
  });
  const exporter = await exporterFor(simulator, monitored);
  const events = async () => {
    const now = await samples(exporter);
    let total = 0;
    for (const [name, value] of now) if (/^bgp_prefix_(announcements|withdrawals)_total\{/.test(name)) total += value;
    return { total, now };
  };
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  /** The least of some readings: what is on its way between both sides comes and goes, a leak stays. */
  const usedBytes = async () => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 8; i++) {
      collectGarbage();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      least = Math.min(least, heapUsed + arrayBuffers);
      await wait(40);
    }
    return least;
  };
  const reach = (count: number) =>
    vi.waitFor(async () => expect((await events()).total).toBeGreaterThan(count), { timeout: 300_000, interval: 100 });
  try {
    await reach(150_000);
    const before = await usedBytes();
    await reach(350_000);
    const after = await usedBytes();
    const { now } = await events();
    expect([...now].filter(([name, value]) => /decode_failures|dropped_events/.test(name) && value > 0)).toEqual([]);
    // What the simulator sent is what was received, but for what is on its way.
    const received = now.get('bgp_stream_frames_total{source="bgproutes",session="0"}') ?? 0;
    expect(received).toBeLessThanOrEqual(simulator.stats.replayedMessages);
    expect(now.get('bgp_stream_disconnects_total{source="bgproutes",session="0",reason="closed"}')).toBe(0);
    expect(exporter.table.paths.size).toBeLessThanOrEqual(exporter.table.routes);
    // A leak of 100 bytes an event would be 20 MB.
    expect(after - before).toBeLessThan(10 * 1024 * 1024);
  } finally {
    await exporter.stop();
    await simulator.stop();
  }
}, 700_000);
