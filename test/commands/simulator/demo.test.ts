import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tableComplete } from '../../../src/commands/simulator/demo.ts';
import { alertLine, KEPT_MS, stepAlerts } from '../../../src/commands/simulator/demo-alerts.ts';
import { parseDuration } from '../../../src/config/duration.ts';
import { TableFigures } from '../../../src/metrics/figures/table-figures.ts';
import { ManualClock } from '../../../src/simulator/clock.ts';
import { DEMO_SCENARIO, LONG_SCENARIO } from '../../../src/simulator/scenario/demo-scenario.ts';
import { type Scenario, scenario } from '../../../src/simulator/scenario/scenario.ts';
import type { StepReport } from '../../../src/simulator/scenario/steps.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';
import { ALERTS } from '../../alerts/rules-file.ts';

const OUTAGE: StepReport = {
  ...{ atMs: 0, kind: 'outage', prefix: '192.0.2.0/24', text: 'outage', counted: 'see 192.0.2.0/24', flaps: undefined },
  ...{ lastsMs: 300_000, vpsBefore: 180, vpsAfter: 0 },
};

/** What happens in a round. */
async function roundOf(scenario: Scenario): Promise<StepReport[]> {
  const reports: StepReport[] = [];
  const clock = new ManualClock(1_800_000_000_000);
  const onStep = (report: StepReport) => reports.push(report);
  const simulator = await startSimulator({ apiKeys: ['k'], scenario, clock, vps: 100, onStep });
  simulator.advance((scenario.loop_every ?? 0) - 1);
  await simulator.stop();
  return reports;
}

const announced = (reports: readonly StepReport[]): string[] =>
  reports.flatMap((report) => stepAlerts(report, 1).map(({ alert }) => `${alert} ${report.prefix}`));

describe('the events of the demo', () => {
  it('wait until the simulator may begin, and then come at their times', async () => {
    const clock = new ManualClock(1_800_000_000_000);
    const times: number[] = [];
    let begin = (): void => {};
    const begins = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const onStep = () => times.push(clock.now() - 1_800_000_000_000);
    const simulator = await startSimulator({ apiKeys: ['k'], scenario: DEMO_SCENARIO, clock, begins, onStep });
    simulator.advance(60_000);
    expect(times).toEqual([]);
    begin();
    await begins;
    simulator.advance(30_000);
    expect(times).toHaveLength(1);
    expect(times[0]).toBeGreaterThanOrEqual(60_000 + 20_000);
    await simulator.stop();
  });

  it('wait for a table that is complete, but not for ever, and not beyond a stop', async () => {
    const figures = new TableFigures(0);
    const { signal } = new AbortController();
    let isOver = false;
    const waiting = tableComplete({ figures }, signal).then(() => {
      isOver = true;
    });
    await tableComplete({ figures: new TableFigures(0) }, signal, 0);
    await tableComplete({ figures: new TableFigures(0) }, AbortSignal.abort());
    expect(isOver).toBe(false);
    figures.seeded = true;
    await waiting;
  });
});

it('a step that happens once is told so', async () => {
  const prefix = '192.0.2.0/24';
  const steps = [1, 3].flatMap((times) => [
    { at: `${times}m`, do: 'flap', prefix, times, interval: '1s' } as const,
    { at: `${times}m30s`, do: 'prepend', prefix, times } as const,
  ]);
  const reports = await roundOf(scenario({ vps: 50, prefixes: [{ prefix, origin: 64500 }], steps, loop_every: '5m' }));
  expect(reports.map(({ text }) => text)).toEqual(
    ['flaps once', 'prepended once', 'flaps 3 times', 'prepended 3 times'].map((what) => `${prefix} ${what}`),
  );
});

describe('what the demo says of alerts', () => {
  it('comes when the event is long enough, in the time that people and Prometheus have', () => {
    expect(alertLine(OUTAGE, 1)).toBe(
      'alerts: BGPPrefixNotVisible will fire in about two minutes, and be over about five minutes after the event',
    );
    expect(alertLine({ ...OUTAGE, lastsMs: 30_000 }, 1)).toBeUndefined();
    // Two minutes and a half, at twice the speed.
    expect(alertLine(OUTAGE, 2)).toBeUndefined();
    expect(alertLine({ ...OUTAGE, lastsMs: undefined }, 20)).toContain('BGPPrefixNotVisible');
    expect(alertLine({ ...OUTAGE, kind: 'recovery' }, 1)).toBeUndefined();
  });

  it('tells an outage of all from one of some, and many flaps from few', () => {
    expect(alertLine({ ...OUTAGE, vpsAfter: 54 }, 1)).toContain('BGPPrefixVisibilityDrop');
    const flap: StepReport = { ...OUTAGE, kind: 'flap', vpsAfter: 180, lastsMs: undefined };
    expect(alertLine({ ...flap, flaps: 1.5 }, 1)).toBeUndefined();
    expect(alertLine({ ...flap, flaps: 5 }, 1)).toBe(
      'alerts: BGPPrefixFlapping fires within about one minute, and is over half an hour later',
    );
  });

  it('has the names and the times of the bundled rules', async () => {
    const reports = await roundOf(LONG_SCENARIO);
    const told = new Map(
      reports.flatMap((report) => stepAlerts(report, 1, true).map(({ alert, forMs }) => [alert, forMs] as const)),
    );
    expect(told.size).toBe(9);
    for (const [alert, forMs] of told) {
      const rules = ALERTS.filter((rule) => rule.alert === alert);
      expect(Math.min(...rules.map((rule) => parseDuration(rule.for ?? '') ?? 0)), alert).toBe(forMs);
      for (const rule of rules) expect(parseDuration(rule.keep_firing_for ?? ''), alert).toBe(KEPT_MS);
    }
  });

  it('is in the documentation of the stack, event by event', async () => {
    const page = readFileSync(new URL('../../../docs/stack.md', import.meta.url), 'utf8');
    const documented = page.split('\n').flatMap((line) => /^\| [0-9].*?\| (`.*?`) \|/.exec(line)?.[1] ?? []);
    const reports = await roundOf(LONG_SCENARIO);
    const told = reports.map((report) =>
      stepAlerts(report, 1, true)
        .map(({ alert }) => `\`${alert}\``)
        .join(', '),
    );
    expect(documented.toSorted()).toEqual(told.filter((alerts) => alerts !== '').sort());
  });

  it('tells of RPKI where the exporter judges by validated data', () => {
    const hijack: StepReport = { ...OUTAGE, kind: 'hijack' };
    expect(alertLine(hijack, 1)).toMatch(
      /^alerts: BGPPrefixUnexpectedOrigin will fire in about one minute, and be over/,
    );
    expect(alertLine(hijack, 1, true)).toMatch(
      /^alerts: BGPPrefixUnexpectedOrigin will fire in about one minute, BGPPrefixRpkiInvalidForeign will fire in about two minutes, and be over/,
    );
    expect(alertLine({ ...hijack, kind: 'subprefix_hijack' }, 1, true)).toContain('BGPPrefixMoreSpecificRpkiInvalid');
  });

  it('is nothing in the quick round, and one alert for each event of the long ones', async () => {
    expect(announced(await roundOf(DEMO_SCENARIO))).toEqual([]);
    expect(announced(await roundOf(LONG_SCENARIO)).sort()).toEqual([
      'BGPPrefixFlapping 2001:db8:100::/40',
      'BGPPrefixMoreSpecificAnnounced 203.0.113.0/24',
      'BGPPrefixNotVisible 192.23.62.0/24',
      'BGPPrefixPathLengthened 203.0.113.0/24',
      'BGPPrefixUnexpectedOrigin 198.51.100.0/24',
      'BGPPrefixUnexpectedUpstream 2a06:3040:10::/48',
      'BGPPrefixVisibilityDrop 198.51.100.0/24',
    ]);
  });

  it('the second round of the default is a long one, and so is the third', async () => {
    const kinds: string[] = [];
    const clock = new ManualClock(1_800_000_000_000);
    const simulator = await startSimulator({
      ...{ apiKeys: ['k'], vps: 50, clock },
      onStep: ({ kind, atMs }) => kinds.push(`${kind} ${Math.round(atMs / 1000)}`),
    });
    simulator.advance(300_000);
    expect(kinds.filter((kind) => kind.startsWith('outage'))).toEqual(['outage 20', 'outage 235']);
    simulator.advance(2 * 3_600_000 - 1);
    await simulator.stop();
    const outages = kinds.filter((kind) => kind.startsWith('outage')).slice(2);
    expect(outages).toEqual([540, 2220, 4140, 5820].map((second) => `outage ${second}`));
  });

  it('the long rounds lose vantage points once, and fewer than silence comparisons', () => {
    const losses = LONG_SCENARIO.steps.filter((step) => step.do === 'vp_loss');
    expect(losses).toMatchObject([{ share: 0.1 }]);
    expect(LONG_SCENARIO.loop_every).toBe(3_600_000);
  });
});
