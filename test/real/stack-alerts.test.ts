/**
 * An hour of the scenario that the stack plays, twice, under the bundled rules in a real Prometheus and the bundled example in
 * a real Alertmanager: each alert that the scenario is there to show fires for its prefix, is resolved, and reaches a receiver;
 * no other alert does. A minute is three seconds here, of the scenario and of the rules alike.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { stepAlerts } from '../../src/commands/simulator/demo-alerts.ts';
import type { Simulator } from '../../src/simulator/contract.ts';
import { LONG_SCENARIO } from '../../src/simulator/scenario/demo-scenario.ts';
import type { StepReport } from '../../src/simulator/scenario/steps.ts';
import { hasEngine } from '../alerts/engine.ts';
import { type ExporterUnderTest, simulate, startExporterOn } from '../alerts/exporter-under-test.ts';
import { fasterRules, type Monitoring, startMonitoring } from '../alerts/monitoring.ts';

const FASTER = 20;
/** Before the first hour, so that the exporter knows its prefixes when it begins; on the machine of a user that takes seconds. */
const LEAD_MINUTES = 20;
const HOUR_MS = LONG_SCENARIO.loop_every! / FASTER;
/** From the last event until what was fired is resolved: alerts are kept for five minutes, and flaps count for half an hour. */
const WITHIN = { timeout: 240_000, interval: 250 };

const TWO_ROUNDS = [0, 1].flatMap((round) =>
  LONG_SCENARIO.steps.map((step) => ({ ...step, at: step.at + round * LONG_SCENARIO.loop_every! })),
);

/** What fires in an hour, and reaches somebody. */
const EXPECTED = [
  'BGPPrefixFlapping 2001:db8:100::/40',
  'BGPPrefixMoreSpecificAnnounced 203.0.113.0/24',
  'BGPPrefixMoreSpecificRpkiInvalid 203.0.113.0/24',
  'BGPPrefixNotVisible 192.23.62.0/24',
  'BGPPrefixPathLengthened 203.0.113.0/24',
  'BGPPrefixRpkiInvalidForeign 198.51.100.0/24',
  'BGPPrefixUnexpectedOrigin 198.51.100.0/24',
  'BGPPrefixUnexpectedUpstream 2a06:3040:10::/48',
  'BGPPrefixVisibilityDrop 198.51.100.0/24',
];
/**
 * In the second hour there is a baseline when the whole prefix goes; Alertmanager lets the graver alert speak for both. A scrape
 * in the middle of the fall or of the recovery sees the drop alone, and then it is sent too.
 */
const INHIBITED = ['BGPPrefixVisibilityDrop 192.23.62.0/24'];

describe.skipIf(!hasEngine())('the hour of the stack', () => {
  let simulator: Simulator;
  let under: ExporterUnderTest;
  let monitoring: Monitoring;
  let startMs: number;
  const reports: StepReport[] = [];

  beforeAll(async () => {
    simulator = await simulate({
      scenario: { ...LONG_SCENARIO, steps: [], loop_every: LEAD_MINUTES * 60_000 },
      nextScenario: { ...LONG_SCENARIO, steps: TWO_ROUNDS, loop_every: undefined },
      speed: FASTER,
      onStep: (report) => reports.push(report),
    });
    under = await startExporterOn(simulator, {
      prefixes: LONG_SCENARIO.prefixes.map(({ prefix, description, group, origin, upstreams }) => ({
        ...{ prefix, description, group, upstreams },
        origins: [origin],
      })),
      rpki: { sources: [{ url: `${simulator.url}/rpki.json`, interval: '10s' }] },
    });
    startMs = Date.now();
    monitoring = await startMonitoring([under.port], undefined, fasterRules(FASTER));
    await vi.waitFor(() => expect(under.exporter.figures.seeded).toBe(true), WITHIN);
    expect(reports).toEqual([]);
  });

  afterAll(async () => {
    await monitoring?.stop();
    await under?.exporter.stop();
    await simulator?.stop();
  });

  const told = (status: 'firing' | 'resolved') =>
    [
      ...new Set(
        monitoring.sent.filter((each) => each.status === status).map((each) => `${each.alertname} ${each.prefix}`),
      ),
    ].sort();

  it('fires and resolves what it is there to show, and nothing else', async () => {
    // The last step is a recovery; then all becomes quiet.
    const recoveries = TWO_ROUNDS.filter((step) => step.do === 'recovery').length;
    const isOver = () => reports.filter(({ kind }) => kind === 'recovery').length === recoveries;
    await vi.waitFor(() => expect(isOver()).toBe(true), { timeout: 4 * HOUR_MS, interval: 500 });
    await vi.waitFor(async () => {
      expect(await monitoring.prometheus.firing()).toEqual([]);
      expect(told('resolved')).toEqual(told('firing'));
    }, WITHIN);
    expect(told('firing').filter((each) => !INHIBITED.includes(each))).toEqual(EXPECTED);
    const seconds = Math.ceil((Date.now() - startMs) / 1_000);
    const fired = await monitoring.prometheus.query(
      `group by (alertname, prefix) (max_over_time(ALERTS{alertstate="firing"}[${seconds}s]))`,
    );
    expect(fired.map(({ metric }) => `${metric.alertname} ${metric.prefix ?? ''}`).sort()).toEqual(
      [...EXPECTED, ...INHIBITED].sort(),
    );
    // What the demo says of its events is what happened.
    const announced = reports.flatMap((report) =>
      stepAlerts(report, 1, true).map(({ alert }) => `${alert} ${report.prefix}`),
    );
    expect([...new Set(announced)].sort()).toEqual(EXPECTED);
  }, 1_200_000);

  it('reaches the receivers of the Alertmanager', () => {
    const receivers = monitoring.sent
      .filter(({ alertname }) => alertname === 'BGPPrefixNotVisible')
      .map(({ receiver }) => receiver);
    expect(new Set(receivers)).toEqual(new Set(['pager', 'core-team']));
  });
});
