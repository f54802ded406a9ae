/**
 * Alerts about faults that take hours to show: a stream that is connected and dumb, messages that come late, an association
 * that is not renewed. A real Prometheus evaluates the bundled rules, a minute of theirs is a second here, on real
 * exporters, one for each fault.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/simulator/clock.ts';
import type { Simulator, SimulatorOptions } from '../../src/simulator/contract.ts';
import { scenario } from '../../src/simulator/scenario/scenario.ts';
import { systemTimers, type Timers } from '../../src/stream/timers.ts';
import { hasEngine } from '../alerts/engine.ts';
import { type ExporterUnderTest, simulate, startExporterOn } from '../alerts/exporter-under-test.ts';
import { fasterRules, type Monitoring, startMonitoring } from '../alerts/monitoring.ts';

const PREFIX = '192.0.2.0/24';
const WITHIN = { timeout: 300_000, interval: 250 };

/** Seconds and messages that are compared become fewer, too. The association keeps its four hours: twenty seconds less are late. */
const FASTER: readonly (readonly [string, string])[] = [
  ['silence:seconds > 1800', 'silence:seconds > 30'],
  // The product never comes above the time in which messages came, which is ten seconds at least here.
  ['stream_active:ratio1d > 3000', 'stream_active:ratio1d > 3'],
  // Messages of ten seconds rather than of ten minutes.
  ['(bgp_stream_delay_seconds_count[10000ms])) >= 10', '(bgp_stream_delay_seconds_count[10000ms])) >= 1'],
  ['_expiry_timestamp_seconds - time() < 3600', '_expiry_timestamp_seconds - time() < 14380'],
];
function rules(): string {
  return FASTER.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, fasterRules());
}

/** Renewals are made every two seconds rather than every ten minutes, and tried again sooner; the four hours stay. */
const hasty: Timers = {
  ...systemTimers,
  schedule: (callback, delayMs) =>
    systemTimers.schedule(callback, delayMs >= 60_000 && delayMs <= 2 * 3_600_000 ? delayMs / 360 : delayMs),
};

describe.skipIf(!hasEngine())('alerts about faults that take hours', () => {
  /**
   * How old messages of the late simulator are when they are sent. Until they are younger than the routes that were read at the
   * start, they change nothing; that must not happen in the middle of this test, where it would be a storm of changes.
   */
  let lateMs = 1_800_000;
  const running: { simulator: Simulator; under: ExporterUnderTest; port: string }[] = [];
  let monitoring: Monitoring;

  /** All that happens is churn, which the Data API would tell of a stream that is dumb: no comparison within this test. */
  async function start(options: Partial<SimulatorOptions> = {}) {
    const simulator = await simulate({
      vps: 20,
      scenario: scenario({ churn_per_minute: 1200, prefixes: [{ prefix: PREFIX, origin: 64500 }] }),
      ...options,
    });
    const under = await startExporterOn(
      simulator,
      { prefixes: [{ prefix: PREFIX, origins: [64500] }], table: { data_api_lag: '0s', reseed_interval: '24h' } },
      hasty,
    );
    running.push({ simulator, under, port: `${under.port}` });
  }

  beforeAll(async () => {
    await start();
    // Its HTTP answers are on time: it is the stream that is late, not a clock that is slow.
    await start({ clock: { ...systemClock, now: () => Date.now() - lateMs }, dateHeader: Date.now });
    await start();
    monitoring = await startMonitoring(
      running.map(({ under }) => under.port),
      undefined,
      rules(),
    );
    await vi.waitFor(async () => {
      expect(await monitoring.prometheus.query('bgp:exporter_trusted:bool == 1')).toHaveLength(3);
      // So many that a missed renewal would have shown.
      expect(
        await monitoring.prometheus.query('bgp_stream_subscription_renewals_total{result="success"} >= 4'),
      ).toHaveLength(3);
    }, WITHIN);
  });

  afterAll(async () => {
    await monitoring?.stop();
    for (const { simulator, under } of running) {
      await under.exporter.stop();
      await simulator.stop();
    }
  });

  /** `NAME port`, sorted. */
  async function firing(): Promise<string[]> {
    const alerts = await monitoring.prometheus.query('group by (alertname, instance) (ALERTS{alertstate="firing"})');
    return alerts.map(({ metric }) => `${metric.alertname} ${metric.instance!.split(':')[1]}`).sort();
  }

  it('each fires for its own exporter and for no prefix, and resolves', async () => {
    const [dumb, late, refused] = running;
    await vi.waitFor(async () => expect(await firing()).toEqual([`BGPStreamDelayed ${late!.port}`]), WITHIN);
    dumb!.simulator.faults.mute();
    refused!.simulator.faults.refuseAssociation(1_000);
    const expected = [
      `BGPStreamDelayed ${late!.port}`,
      `BGPStreamStale ${dumb!.port}`,
      `BGPSubscriptionExpiring ${refused!.port}`,
    ];
    await vi.waitFor(async () => expect(await firing()).toEqual(expected), WITHIN);
    const [stale] = await monitoring.prometheus.query('ALERTS{alertname="BGPStreamStale"}');
    expect(stale!.metric.why).toBe('silence');
    expect(
      monitoring.sent
        .filter(({ status }) => status === 'firing')
        .every(({ receiver }) => receiver === 'monitoring-team'),
    ).toBe(true);

    dumb!.simulator.faults.unmute();
    lateMs = 0;
    refused!.simulator.faults.clear();
    await vi.waitFor(async () => expect(await firing()).toEqual([]), WITHIN);
  }, 1_000_000);
});
