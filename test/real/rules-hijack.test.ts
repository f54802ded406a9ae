/**
 * A real hijack, recorded by route collectors: on 16 June 2026 AS18101 announced prefixes of AS62041 and its sisters, five of
 * these ten in the morning and five more in the afternoon. Replayed 600 times as fast through simulator, exporter and a
 * real Prometheus with the bundled rules, a minute of which is a second.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Simulator } from '../../src/simulator/contract.ts';
import { hasEngine, missing } from '../alerts/engine.ts';
import { type ExporterUnderTest, KEY, simulate, startExporterOn } from '../alerts/exporter-under-test.ts';
import { type Monitoring, startMonitoring } from '../alerts/monitoring.ts';
import { readLines, recordingPath } from '../support/recordings.ts';

const RECORDING = recordingPath('tenpfx-telegram-hijack-20260616.jsonl.gz');
const TRUTH = recordingPath('event-telegram-truth.json');
const SPEED = 600;
const OURS = [62041, 59930, 62014, 211157, 44907];
/** 45820 announces one of them together with 18101. */
const THEIRS = [18101, 45820];

interface RecordedLine {
  readonly vp: string;
  readonly sec: number;
  readonly prefixes?: string;
  readonly withdraws?: string;
  readonly 'as-path'?: string;
}

function recordings(): boolean {
  return (RECORDING !== undefined && TRUTH !== undefined) || missing('recording of the hijack');
}

describe.skipIf(!hasEngine() || !recordings())('a real hijack', () => {
  const lines = (RECORDING === undefined ? [] : readLines(RECORDING)).map((line) => JSON.parse(line) as RecordedLine);
  const prefixes = [...new Set(lines.flatMap((line) => line.prefixes?.split(',') ?? []))].sort();
  const truth = (TRUTH === undefined ? {} : JSON.parse(readFileSync(TRUTH, 'utf8'))) as Record<
    string,
    { first: string }
  >;
  const recordedMs = (lines[0]?.sec ?? 0) * 1000;
  const hijackedAtMs = (prefix: string) => Date.parse(`2026-${truth[prefix]!.first}Z`);

  let simulator: Simulator;
  let owner: ExporterUnderTest;
  let hijacker: ExporterUnderTest;
  let starter: ExporterUnderTest;
  let monitoring: Monitoring;
  let startMs = 0;

  /** When the owner's alert about a prefix first fired, in the time of the recording, and when it last did. */
  async function fired(port: number): Promise<Map<string, { firstMs: number; lastMs: number }>> {
    const { result } = await monitoring.prometheus.get<{
      result: { metric: { prefix: string }; values: [number, string][] }[];
    }>('query_range', {
      query: `ALERTS{alertname="BGPPrefixUnexpectedOrigin", alertstate="firing", instance=~".+:${port}"}`,
      start: String(startMs / 1000),
      end: String(Date.now() / 1000),
      step: '0.5',
    });
    const recorded = (seconds: number) => recordedMs + (seconds * 1000 - startMs) * SPEED;
    return new Map(
      result.map(({ metric, values }) => [
        metric.prefix,
        { firstMs: recorded(values[0]![0]), lastMs: recorded(values.at(-1)![0]) },
      ]),
    );
  }

  beforeAll(async () => {
    // The recording starts with the third exporter, when Prometheus is there to see the other two.
    simulator = await simulate({
      apiKeys: [KEY, `${KEY}-2`, `${KEY}-3`],
      replay: RECORDING!,
      speed: SPEED,
      sessionsBeforeReplay: 3,
    });
    owner = await startExporterOn(simulator, { prefixes: prefixes.map((prefix) => ({ prefix, origins: OURS })) });
    hijacker = await startExporterOn(simulator, {
      prefixes: prefixes.map((prefix) => ({ prefix, origins: [...OURS, ...THEIRS] })),
      bgproutes: { api_keys: [`${KEY}-2`] },
    });
    monitoring = await startMonitoring([owner.port, hijacker.port]);
    await vi.waitFor(
      async () => expect(await monitoring.prometheus.query('bgp:exporter_trusted:bool == 1')).toHaveLength(2),
      { timeout: 60_000, interval: 250 },
    );
    starter = await startExporterOn(simulator, {
      prefixes: [{ prefix: prefixes[0] }],
      bgproutes: { api_keys: [`${KEY}-3`] },
    });
    await vi.waitFor(() => expect(simulator.stats.replayedMessages).toBeGreaterThan(0), {
      timeout: 30_000,
      interval: 10,
    });
    startMs = Date.now();
    const seconds = (lines.at(-1)!.sec - lines[0]!.sec) / SPEED;
    await vi.waitFor(() => expect(Date.now() - startMs).toBeGreaterThan(seconds * 1000 + 15_000), {
      timeout: seconds * 1000 + 60_000,
      interval: 500,
    });
    await simulator.replayFinished;
  });

  afterAll(async () => {
    await monitoring?.stop();
    await owner?.exporter.stop();
    await hijacker?.exporter.stop();
    await starter?.exporter.stop();
    await simulator?.stop();
  });

  it('the alert fires for every hijacked prefix, soon after its hijack began, and never before', async () => {
    const alerts = await fired(owner.port);
    const hijacked = prefixes.filter((prefix) => truth[prefix] !== undefined);
    expect(hijacked).toHaveLength(10);
    expect([...alerts.keys()].sort()).toEqual(hijacked);
    for (const [prefix, { firstMs }] of alerts) {
      const delaySeconds = (firstMs - hijackedAtMs(prefix)) / 1000 / SPEED;
      expect(delaySeconds, prefix).toBeGreaterThan(-0.5);
      // A second to scrape, one to evaluate, one of patience; the rest is for a busy machine.
      expect(delaySeconds, prefix).toBeLessThan(12);
    }
  });

  it('before the afternoon only the five of the morning fire', async () => {
    const noonMs = Date.parse('2026-06-16T12:00:00Z');
    const alerts = [...(await fired(owner.port))].filter(([, { firstMs }]) => firstMs < noonMs);
    const morning = prefixes.filter((prefix) => hijackedAtMs(prefix) < noonMs);
    expect(morning).toHaveLength(5);
    expect(alerts.map(([prefix]) => prefix).sort()).toEqual(morning);
  });

  it('an exporter to which the same origins are expected ones is silent', async () => {
    expect(await fired(hijacker.port)).toEqual(new Map());
  });

  it('at the end it fires only where two vantage points still hold a route of a stranger', async () => {
    // Recounted from the file: the last word of every vantage point about every prefix.
    const strangers = new Map(prefixes.map((prefix) => [prefix, new Set<string>()]));
    for (const { vp, prefixes: announced, withdraws, 'as-path': path } of lines) {
      for (const prefix of withdraws?.split(',') ?? []) strangers.get(prefix)?.delete(vp);
      const origin = Number(path?.split(' ').at(-1));
      for (const prefix of announced?.split(',') ?? []) {
        if (OURS.includes(origin)) strangers.get(prefix)!.delete(vp);
        else strangers.get(prefix)!.add(vp);
      }
    }
    const stillHijacked = prefixes.filter((prefix) => strangers.get(prefix)!.size >= 2);
    expect(stillHijacked.length).toBeLessThan(10);
    const query = `ALERTS{alertname="BGPPrefixUnexpectedOrigin", alertstate="firing"}`;
    const firing = await monitoring.prometheus.query(query);
    expect(firing.map(({ metric }) => metric.prefix)).toEqual(stillHijacked);
  });
});
