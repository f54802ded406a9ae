/** What is read in the tables of the dashboards, by Grafana's own parts on the answers of a real Prometheus. */
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dashboards, text } from '../../dashboards/src/generate.ts';
import { hasProgram, missing } from '../alerts/engine.ts';
import { type Cell, GrafanaText } from '../dashboards/drawn-text.ts';
import { panelsOf, targetsOf } from '../dashboards/lint.ts';
import { FilledPrometheus } from '../dashboards/prometheus.ts';
import { filled } from '../dashboards/promql.ts';
import { CALM, CUT, END, firing, HIJACKED, KNOWS, NOT_SEEN, START, seriesOf } from '../dashboards/worlds.ts';

/** A folder with `@grafana/data`; `.ci/run` makes it. */
const FOLDER = process.env.GRAFANA_DATA;

const JOB = '10e5';
/** Everything that a label says looks like a number to somebody who takes it for one. */
const EXPORTERS = [
  {
    ...KNOWS,
    target: { instance: '0x10' },
    trustedByRules: 1,
    build: { version: '1.10', revision: '12e4567', node_version: '20' },
    prefixes: {
      ...KNOWS.prefixes,
      [CALM]: {
        ...KNOWS.prefixes[CALM]!,
        info: { afi: 'ipv6', group: '1e3', description: '4200000000' },
        origins: { 4200000000: 60 },
      },
    },
  },
  { ...CUT, target: { instance: '1e9' }, build: { version: '2.0', revision: '0012345', node_version: '22' } },
];
const TABLES = [...dashboards()].flatMap(([file, dashboard]) =>
  panelsOf(dashboard)
    .filter(({ type }) => type === 'table')
    .map((panel) => [file, panel.title!] as const),
);
/** Cells that are meant to read otherwise than Prometheus says. */
const READS: Readonly<Record<string, string>> = { $__all: 'no group', bgpprefixnotvisible: 'what to do' };

describe.skipIf(!hasProgram('prometheus') || (FOLDER === undefined && !missing('folder GRAFANA_DATA')))(
  'tables of the dashboards',
  () => {
    let prometheus: FilledPrometheus;
    let grafana: GrafanaText;

    beforeAll(async () => {
      grafana = new GrafanaText(FOLDER!);
      const labels = { alertname: 'BGPPrefixNotVisible', job: JOB, instance: '0x10', prefix: NOT_SEEN };
      prometheus = await FilledPrometheus.start(
        seriesOf(JOB, EXPORTERS) + firing({ ...labels, severity: 'critical', group: '007' }),
      );
    });
    afterAll(() => prometheus?.stop());

    function panelOf(file: string, title: string): Panel {
      const dashboard = JSON.parse(text(dashboards().get(file)!)) as Dashboard;
      return panelsOf(dashboard).find((panel) => panel.title === title)!;
    }
    async function rowsOf(panel: Panel): Promise<ReadonlyMap<string, Cell>[]> {
      const choice = { job: JOB, range: `${END - START}s`, interval: '30s', rateInterval: '2m' };
      const answers = targetsOf(panel).map(({ expr }) => prometheus.instant(filled(expr, choice), END));
      return grafana.table(panel, await Promise.all(answers));
    }
    const textOf = (row: ReadonlyMap<string, Cell> | undefined, column: string) => row?.get(column)?.text;

    it.each(TABLES)('%s, %s: every label is read as it is written', async (file, title) => {
      const rows = await rowsOf(panelOf(file, title));
      expect(rows.length).toBeGreaterThan(0);
      let labels = 0;
      for (const row of rows) {
        for (const [column, { raw, text: read }] of row) {
          if (typeof raw !== 'string' || raw === '') continue;
          expect(read, column).toBe(READS[raw] ?? raw);
          labels++;
        }
      }
      expect(labels).toBeGreaterThanOrEqual(rows.length);
    });

    it('AS numbers, groups, descriptions and revisions', async () => {
      const prefixes = await rowsOf(panelOf('overview.json', 'Prefixes now'));
      const calm = prefixes.find((row) => textOf(row, 'Prefix') === CALM);
      expect(textOf(calm, 'Origin')).toBe('4200000000');
      expect(textOf(calm, 'Group')).toBe('1e3');
      expect(textOf(calm, 'Description')).toBe('4200000000');
      const hijacked = prefixes.find((row) => textOf(row, 'Prefix') === HIJACKED);
      expect(textOf(hijacked, 'Origin')).toBe('64501');
      expect(textOf(hijacked, 'Group')).toBe('007');
      expect(textOf(hijacked, 'State')).toBe('other origin');
      const exporters = await rowsOf(panelOf('exporter.json', 'Exporters'));
      expect(
        exporters.map((row) => ['Exporter', 'Version', 'Revision', 'Node.js'].map((name) => textOf(row, name))),
      ).toEqual([
        [`0x10 (${JOB})`, '1.10', '12e4567', '20'],
        [`1e9 (${JOB})`, '2.0', '0012345', '22'],
      ]);
    });

    it('an alert without a label has a dash there, and not the words for "no alert"', async () => {
      const panel = panelOf('overview.json', 'Firing alerts');
      const [row] = await rowsOf(panel);
      expect(textOf(row, 'Alert')).toBe('BGPPrefixNotVisible');
      expect(textOf(row, 'Prefix')).toBe(NOT_SEEN);
      const choice = { job: JOB, range: '1h', interval: '30s', rateInterval: '2m' };
      const [series] = await prometheus.instant(filled(targetsOf(panel)[0]!.expr, choice), END);
      const { prefix: _, ...labels } = series!.metric;
      const [stream, prefix] = await grafana.table(panel, [[{ ...series!, metric: labels }, series!]]);
      expect(textOf(stream, 'Prefix')).toBe('-');
      expect(textOf(prefix, 'Prefix')).toBe(NOT_SEEN);
    });

    it("a label of the user's own is a column of the alerts, as text", async () => {
      const panel = panelOf('overview.json', 'Firing alerts');
      const choice = { job: JOB, range: '1h', interval: '30s', rateInterval: '2m' };
      const [series] = await prometheus.instant(filled(targetsOf(panel)[0]!.expr, choice), END);
      const rows = await grafana.table(panel, [
        ['10e5', 'fra'].map((site) => ({ ...series!, metric: { ...series!.metric, site } })),
      ]);
      expect(rows.map((row) => textOf(row, 'site'))).toEqual(['10e5', 'fra']);
      expect([...rows[0]!.keys()]).toEqual(['Severity', 'Alert', 'Prefix', 'Runbook', 'Since', 'Instance', 'site']);
    });

    it.each([
      ['overview.json', 'Prefixes now', 'Origin', '4200000000', '4.20 Bil'],
      ['overview.json', 'Prefixes now', 'Group', '1e3', '1 K'],
      ['overview.json', 'Prefixes now', 'Description', '4200000000', '4.20 Bil'],
      ['overview.json', 'Firing alerts', 'Instance', '0x10', '16'],
      ['exporter.json', 'Exporters', 'Revision', '12e4567', '∞'],
    ])('%s, %s, %s: without its unit %s would be read as %s', async (file, title, column, label, read) => {
      const panel = panelOf(file, title);
      const override = panel.fieldConfig!.overrides.find(({ matcher }) => matcher.options === column)!;
      override.properties = override.properties.filter(({ id }) => id !== 'unit');
      panel.fieldConfig!.defaults.unit = 'short';
      const rows = await rowsOf(panel);
      const cell = rows.map((row) => row.get(column)!).find(({ raw }) => raw === label);
      expect(cell?.text).toBe(read);
    });
  },
);
