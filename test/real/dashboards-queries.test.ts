/**
 * Every query of every dashboard, evaluated by a real Prometheus on one exporter, on pairs of which one was cut, on two sites
 * with the same job and instance, and on 120 prefixes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dashboards } from '../../dashboards/src/generate.ts';
import { BARS } from '../../dashboards/src/panels.ts';
import { hasProgram } from '../alerts/engine.ts';
import { panelsOf, targetsOf } from '../dashboards/lint.ts';
import { FilledPrometheus, type Series } from '../dashboards/prometheus.ts';
import { filled } from '../dashboards/promql.ts';
import {
  CALM,
  CUT,
  END,
  type ExporterState,
  FORGOT,
  firing,
  HIJACKED,
  KNOWS,
  LATE,
  MANY,
  NOT_SEEN,
  OVERLAPPING,
  START,
  STEP,
  seriesOf,
} from '../dashboards/worlds.ts';

const at = (exporter: ExporterState, site: string): ExporterState => ({
  ...exporter,
  target: { instance: 'localhost:10479', site },
});
const mute: ExporterState = {
  ...CUT,
  up: 1,
  trustedByRules: 0,
  prefixes: Object.fromEntries(
    Object.entries(CUT.prefixes).map(([prefix, state]) => [prefix, { ...state, trusted: 1 }]),
  ),
};
/** Each under its own job. */
const WORLDS: Readonly<Record<string, readonly ExporterState[]>> = {
  alone: [KNOWS],
  'a pair, one cut': [
    { ...KNOWS, trustedByRules: 1 },
    { ...CUT, trustedByRules: 0 },
  ],
  'a pair, one cut, the other way round': [
    { ...CUT, target: { instance: '0:10479' } },
    { ...KNOWS, target: { instance: '1:10479' } },
  ],
  'a pair, one connected but mute, as the rules know': [KNOWS, mute],
  'two sites, one cut': [at(KNOWS, 'ams'), at(CUT, 'fra')],
  'two sites, both well': [at(KNOWS, 'ams'), at(KNOWS, 'fra')],
  nobody: [CUT],
  forgot: [FORGOT],
  overlapping: OVERLAPPING,
  many: [MANY],
};
const PAIRS = Object.keys(WORLDS).filter((name) => name.startsWith('a pair') || name.startsWith('two sites'));

interface Query {
  readonly file: string;
  readonly title: string;
  readonly type: string;
  readonly instant: boolean;
  readonly expr: string;
  readonly legend: string;
}
const QUERIES: readonly Query[] = [...dashboards()].flatMap(([file, dashboard]) => [
  ...panelsOf(dashboard).flatMap((panel) =>
    targetsOf(panel).map((target) => ({
      file,
      title: panel.title!,
      type: panel.type,
      instant: target.instant === true,
      expr: target.expr,
      legend: target.legendFormat ?? '',
    })),
  ),
  ...(dashboard.annotations.list ?? []).map(({ name, expr }) => ({
    file,
    title: `annotation ${name}`,
    type: 'annotation',
    instant: false,
    expr: expr!,
    legend: '',
  })),
]);
const queriesOf = (file: string, title: string) =>
  QUERIES.filter((query) => query.file === file && query.title === title);

/** What these show is of exporters and their sessions, not of prefixes: a pair has more of it. */
const OF_EXPORTERS = ['Sessions down', 'Sessions', 'Frames', 'Delay, 90 % of messages', 'annotation Stream down'];
/** By exporter, so that both can be compared. */
const SIDE_BY_SIDE = ['Visibility over time', 'Expected VPs are known'];

describe.skipIf(!hasProgram('prometheus'))('queries of the dashboards', () => {
  let prometheus: FilledPrometheus;

  beforeAll(async () => {
    const worlds = Object.entries(WORLDS).map(([job, exporters]) => seriesOf(job, exporters));
    const alert = {
      job: 'a pair, one cut',
      instance: 'a:10479',
      prefix: NOT_SEEN,
      severity: 'critical',
      group: 'core',
    };
    prometheus = await FilledPrometheus.start(
      worlds.join('') +
        firing({ ...alert, alertname: 'BGPPrefixNotVisible' }) +
        firing({ alertname: 'BGPExporterDown', job: 'a pair, one cut', severity: 'critical' }),
    );
  });
  afterAll(() => prometheus?.stop());

  async function ask({ expr, instant }: Query, job: string, prefix?: string, group?: string): Promise<Series[]> {
    const range = `${END - START}s`;
    const choice = { job, prefix, group, range, interval: `${STEP}s`, rateInterval: `${4 * STEP}s` };
    const query = filled(expr, choice);
    return instant ? prometheus.instant(query, END) : prometheus.range(query, START, END, STEP);
  }
  /** The values by labels, the same whatever the order. */
  const plain = (series: readonly Series[]) =>
    Object.fromEntries(
      series
        .map(({ metric: { __name__, ...labels }, values }) => [JSON.stringify(Object.entries(labels).sort()), values])
        .sort(([a], [b]) => (a! < b! ? -1 : 1)),
    );
  /** The value of a panel's query by one label. */
  async function now(file: string, title: string, job: string, label: string, index = 0, prefix?: string) {
    const series = await ask(queriesOf(file, title)[index]!, job, prefix);
    return new Map(series.map(({ metric, values }) => [metric[label] ?? '', values.at(-1)![1]]));
  }
  /** The numbers of a tile: while somebody is trusted, and while nobody is. */
  async function tileOf(file: string, title: string, job: string, prefix?: string) {
    const answers = await Promise.all(queriesOf(file, title).map((query) => ask(query, job, prefix)));
    return answers.map((series) => series[0]?.values[0]?.[1]);
  }
  /** The column of a table, by the name it is shown by. */
  async function column(title: string, name: string, job: string, label = 'prefix') {
    const panel = panelsOf(dashboards().get('overview.json')!).find((each) => each.title === title)!;
    const { renameByName } = panel.transformations!.find(({ id }) => id === 'organize')!.options as {
      renameByName: Record<string, string>;
    };
    const [field] = Object.entries(renameByName).find(([, shown]) => shown === name)!;
    return now('overview.json', title, job, label, field.charCodeAt('Value #'.length) - 'A'.charCodeAt(0));
  }

  describe.each(Object.keys(WORLDS))('%s', (job) => {
    const prefixes = [...new Set(WORLDS[job]!.flatMap((each) => Object.keys(each.prefixes)))].slice(0, 3);

    it.each([...dashboards().keys()])('%s: every query is answered', async (file) => {
      for (const query of QUERIES.filter((each) => each.file === file)) {
        for (const prefix of file === 'prefix.json' ? prefixes : [undefined]) {
          await expect(ask(query, job, prefix), `${query.title} ${prefix ?? ''}`).resolves.toBeDefined();
        }
      }
    });
  });

  describe.each(PAIRS)('%s', (job) => {
    const shown = QUERIES.filter(({ file, title }) => file !== 'exporter.json' && !OF_EXPORTERS.includes(title));

    it.each(shown.filter(({ title }) => !SIDE_BY_SIDE.includes(title)))(
      '$file, $title: shows what the exporter says that knows ($legend)',
      async (query) => {
        if (query.title === 'Firing alerts') return expect(await ask(query, 'alone')).toHaveLength(1);
        for (const prefix of query.file === 'prefix.json' ? [NOT_SEEN, CALM, HIJACKED] : [undefined]) {
          const alone = plain(await ask(query, 'alone', prefix));
          const pair = plain(await ask(query, job, prefix));
          // Two that are well are both counted there.
          if (job === 'two sites, both well' && query.expr.startsWith('(count by')) {
            expect(Object.keys(pair)).toEqual(Object.keys(alone));
          } else {
            expect(pair, prefix).toEqual(alone);
          }
        }
      },
    );

    it('in groups of the exporter that knows, too', async () => {
      for (const query of shown.filter(({ file, title }) => file === 'overview.json' && title !== 'Firing alerts')) {
        if (job === 'two sites, both well' && query.expr.startsWith('(count by')) continue;
        expect(plain(await ask(query, job, undefined, 'core')), query.title).toEqual(
          plain(await ask(query, 'alone', undefined, 'core')),
        );
      }
    });
  });

  it('a pair: the prefix that the trusted one does not see is not visible, whatever the other kept', async () => {
    const job = 'a pair, one cut';
    expect(await column('Prefixes now', 'State', job)).toEqual(
      new Map([
        [NOT_SEEN, 32 + 4],
        [HIJACKED, 16 + 2],
        [CALM, 0],
      ]),
    );
    expect((await column('Prefixes now', 'Visible VPs', job)).get(NOT_SEEN)).toBe(0);
    expect((await column('Prefixes now', 'Trusted by', job)).get(NOT_SEEN)).toBe(1);
    expect(await column('Prefixes now', 'Untrusted VPs', job)).toEqual(new Map());
    expect(await tileOf('overview.json', 'Not visible', job)).toEqual([1, undefined]);
    expect(await tileOf('overview.json', 'Lowest visibility', job)).toEqual([0, undefined]);
    expect(await tileOf('prefix.json', 'Visible VPs', job, NOT_SEEN)).toEqual([0, undefined]);
    expect(await tileOf('overview.json', 'Not trusted', job)).toEqual([0]);
    expect(await tileOf('overview.json', 'Sessions down', job)).toEqual([1]);
    // Of both protocols, whatever source brought them.
    expect(await tileOf('overview.json', 'Vantage points', job)).toEqual([40, undefined]);
  });

  it('a pair: both are seen side by side where they are compared', async () => {
    const [query] = queriesOf('prefix.json', 'Visibility over time');
    const series = await ask(query!, 'a pair, one cut', NOT_SEEN);
    expect(new Map(series.map(({ metric, values }) => [metric.instance, values.at(-1)![1]]))).toEqual(
      new Map([
        ['a:10479', 0],
        ['b:10479', -1],
      ]),
    );
  });

  it('nobody is trusted: the state, the tiles and the bars say so, and numbers stay beside it', async () => {
    expect(await column('Prefixes now', 'State', 'nobody')).toEqual(
      new Map([
        [NOT_SEEN, 16 + 8 + 2],
        [HIJACKED, 16 + 8 + 2],
        [CALM, 8 + 2],
      ]),
    );
    expect((await column('Prefixes now', 'Untrusted VPs', 'nobody')).get(NOT_SEEN)).toBe(40);
    for (const name of ['Visibility', 'Visible VPs', 'Expected VPs', 'Mean path', 'Changes/s']) {
      expect(await column('Prefixes now', name, 'nobody'), name).toEqual(new Map());
    }
    expect(new Set((await column('Prefixes now', 'Trusted by', 'nobody')).values())).toEqual(new Set([0]));
    expect(await tileOf('overview.json', 'Not trusted', 'nobody')).toEqual([3]);
    for (const [file, title, number] of [
      ['overview.json', 'Not visible', 0],
      ['overview.json', 'Lowest visibility', 1],
      ['overview.json', 'Other origins', 2],
      ['overview.json', 'More-specifics', 6],
      ['overview.json', 'Vantage points', 40],
      ['prefix.json', 'Visibility', 1],
      ['prefix.json', 'Visible VPs', 40],
      ['prefix.json', 'Other origin', 15],
    ] as const) {
      expect(await tileOf(file, title, 'nobody', file === 'prefix.json' ? NOT_SEEN : undefined), title).toEqual([
        undefined,
        number,
      ]);
    }
    const bars = await ask(queriesOf('overview.json', 'Visibility')[0]!, 'nobody');
    expect(bars).toHaveLength(3);
    for (const { values } of bars) expect(new Set(values.map(([, value]) => value))).toEqual(new Set([-1]));
    expect(await ask(queriesOf('prefix.json', 'annotation Not trusted')[0]!, 'nobody', NOT_SEEN)).toHaveLength(1);
    expect(await ask(queriesOf('prefix.json', 'annotation Not trusted')[0]!, 'a pair, one cut', NOT_SEEN)).toEqual([]);
    expect(await ask(queriesOf('overview.json', 'annotation Outages')[0]!, 'nobody')).toEqual([]);
  });

  it('an exporter that has lost its memory in an outage: all that is shown agrees with the alert', async () => {
    expect(await column('Prefixes now', 'State', 'forgot')).toEqual(new Map([[CALM, 32 + 4 + 1]]));
    expect((await column('Prefixes now', 'Visibility', 'forgot')).get(CALM)).toBe(2 / 60);
    expect(await tileOf('overview.json', 'Not visible', 'forgot')).toEqual([1, undefined]);
    expect(await tileOf('prefix.json', 'Visibility', 'forgot', CALM)).toEqual([2 / 60, undefined]);
    const [bars] = await ask(queriesOf('overview.json', 'Visibility')[0]!, 'forgot');
    expect(bars!.values.at(-1)![1]).toBe(2 / 60);
    expect(await ask(queriesOf('overview.json', 'annotation Outages')[0]!, 'forgot')).toHaveLength(1);
    expect(await column('By group', 'Not visible', 'forgot', 'group')).toEqual(new Map([['core', 1]]));
  });

  it.each([
    ['VPs by origin', 69],
    ['VPs by upstream', 69],
    ['VPs by AS path length', 69],
  ])('%s: the parts add up to the visible VPs of one exporter', async (title, visible) => {
    expect((await tileOf('prefix.json', 'Visible VPs', 'overlapping', CALM))[0]).toBe(visible);
    const sums = new Map<number, number>();
    for (const query of queriesOf('prefix.json', title)) {
      for (const { values } of await ask(query, 'overlapping', CALM)) {
        for (const [seconds, value] of values) sums.set(seconds, (sums.get(seconds) ?? 0) + value);
      }
    }
    expect(new Set(sums.values())).toEqual(new Set([visible]));
  });

  it('the largest layer is the first, so that its colour stays; those beyond ten are summed as one', async () => {
    const prefix = '10.0.5.0/24';
    const [largest, others, rest] = await Promise.all(
      queriesOf('prefix.json', 'VPs by upstream').map((query) => ask(query, 'many', prefix)),
    );
    expect(largest!.map(({ metric }) => metric.upstream_as)).toEqual(['AS64600']);
    expect(others).toHaveLength(9);
    expect(rest).toHaveLength(1);
    const top = [...largest!, ...others!, ...rest!].reduce((sum, { values }) => sum + values.at(-1)![1], 0);
    expect(top).toBe((await tileOf('prefix.json', 'Visible VPs', 'many', prefix))[0]);
  });

  describe('120 prefixes', () => {
    const drawn = QUERIES.filter(({ type }) => type === 'timeseries' || type === 'state-timeline');
    it.each(drawn)('$file, $title: has no more lines than can be told apart ($legend)', async (query) => {
      const series = await ask(query, 'many', query.file === 'prefix.json' ? LATE : undefined);
      expect(series.length).toBeLessThanOrEqual(BARS);
    });

    it('tables have them all', async () => {
      expect((await column('Prefixes now', 'Visible VPs', 'many')).size).toBe(120);
      expect((await column('What changed in this time range', 'Path changes', 'many')).size).toBe(120);
    });

    it('the one that was out of sight for minutes is among the bars, before those always seen by fewer', async () => {
      const bars = await ask(queriesOf('overview.json', 'Visibility')[0]!, 'many');
      expect(bars).toHaveLength(BARS);
      const late = bars.find(({ metric }) => metric.prefix === LATE)!;
      expect(Math.min(...late.values.map(([, value]) => value))).toBe(0);
      expect(bars.filter(({ values }) => values.at(-1)![1] === 0.9)).toHaveLength(BARS - 1);
    });

    it('the one that changes most is among the lines', async () => {
      const lines = await ask(queriesOf('overview.json', 'Changes by prefix')[0]!, 'many');
      expect(lines.map(({ metric }) => metric.prefix)).toContain('10.0.98.0/24');
    });
  });

  it('by group: how many, how many not visible, the lowest; prefixes without a group are a row', async () => {
    const of = (name: string, job: string) => column('By group', name, job, 'group');
    expect(await of('Prefixes', 'many')).toEqual(new Map(['A', 'B', 'C', 'D'].map((name) => [`group ${name}`, 30])));
    const pair = 'a pair, one cut';
    expect(await of('Prefixes', pair)).toEqual(
      new Map([
        ['core', 1],
        ['007', 1],
        // Grafana's own word for all: a link to it shows all.
        ['$__all', 1],
      ]),
    );
    expect((await of('Not visible', pair)).get('core')).toBe(1);
    expect((await of('Lowest visibility', pair)).get('$__all')).toBe(1);
    expect((await of('Unexpected origins', pair)).get('007')).toBe(1);
    expect((await of('More-specifics', pair)).get('007')).toBe(1);
    expect((await of('Not trusted', 'nobody')).get('elsewhere')).toBe(3);
  });

  it('firing alerts are listed with their section of the runbook, also those without instance and prefix', async () => {
    const [query] = queriesOf('overview.json', 'Firing alerts');
    const alerts = await ask(query!, 'a pair, one cut', undefined, 'core');
    expect(alerts.map(({ metric }) => [metric.alertname, metric.prefix, metric.section]).sort()).toEqual([
      ['BGPExporterDown', undefined, 'bgpexporterdown'],
      ['BGPPrefixNotVisible', NOT_SEEN, 'bgpprefixnotvisible'],
    ]);
    for (const { values } of alerts) expect(values[0]![1]).toBe(1000 * (START - 60));
    expect(await ask(query!, 'a pair, one connected but mute, as the rules know')).toEqual([]);
    const [{ metric }] = (await ask(query!, 'alone')) as [Series];
    expect(metric.alertname).toBe('the rules are not loaded');
  });
});
