import { readdirSync, readFileSync } from 'node:fs';
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { describe, expect, it } from 'vitest';
import { dashboards, GENERATED_FOLDER, text } from '../../dashboards/src/generate.ts';
import { panelsOf, RULES, targetsOf } from './lint.ts';

const files = readdirSync(GENERATED_FOLDER).sort();
const read = (name: string) => JSON.parse(readFileSync(GENERATED_FOLDER + name, 'utf8')) as Dashboard;

it('the generated dashboards are those of the source (else: npx tsx dashboards/src/generate.ts)', () => {
  expect(files).toEqual([...dashboards().keys()].sort());
  for (const [name, dashboard] of dashboards()) {
    expect(readFileSync(GENERATED_FOLDER + name, 'utf8'), name).toBe(text(dashboard));
  }
});

it('provisioning finds the three dashboards, each under its own uid', () => {
  expect(new Set(files.map((name) => read(name).uid)).size).toBe(3);
  const links = files.flatMap((name) => (read(name).links ?? []).map((link) => link.url));
  for (const name of files) {
    expect(links.filter((url) => url?.startsWith(`/d/${read(name).uid}?`))).toHaveLength(2);
  }
  const overview = JSON.stringify(read('overview.json'));
  expect(overview).toContain(`/d/${read('prefix.json').uid}?var-prefix=`);
});

describe.each(files)('%s', (name) => {
  it.each(Object.keys(RULES))('%s', (rule) => {
    expect(RULES[rule]!(read(name))).toEqual([]);
  });

  it('has the variables to choose exporters and prefixes by', () => {
    const names = (read(name).templating.list ?? []).map((variable) => variable.name);
    const prefixes = name === 'exporter.json' ? [] : ['group', 'prefix'];
    expect(names).toEqual(['datasource', 'job', 'instance', ...prefixes]);
  });
});

/** Each rule must see a dashboard that breaks it. */
describe('a rule speaks up', () => {
  const first = (change: (panel: Panel) => void) => (dashboard: Dashboard) => change(panelsOf(dashboard)[0]!);
  const ofType = (type: string, change: (panel: Panel) => unknown) => (dashboard: Dashboard) =>
    change(panelsOf(dashboard).find((panel) => panel.type === type)!);
  const expr = (query: string) => first((panel) => (targetsOf(panel)[0]!.expr = query));
  const variable = (name: string, change: object) => (dashboard: Dashboard) =>
    Object.assign(dashboard.templating.list!.find((v) => v.name === name)!, change);
  const OWN = 'job=~"$job", instance=~"$instance"';
  const breaches: Readonly<Record<string, readonly ((dashboard: Dashboard) => unknown)[]>> = {
    'template-datasource-rule': [
      (d) => d.templating.list!.shift(),
      variable('datasource', { name: 'ds' }),
      variable('datasource', { label: 'Prometheus' }),
      variable('datasource', { query: 'loki' }),
    ],
    'template-job-rule': [
      variable('job', { name: 'jobs' }),
      variable('job', { type: 'custom' }),
      variable('job', { multi: false }),
      variable('job', { allValue: '.*' }),
      variable('job', { label: 'job' }),
      variable('job', { datasource: { uid: 'prometheus' } }),
    ],
    'template-instance-rule': [variable('instance', { multi: false })],
    'template-label-promql-rule': [
      variable('job', { query: 'label_values(up{, job)' }),
      variable('job', { query: 'query_result(up)' }),
    ],
    'template-on-time-change-reload-rule': [variable('job', { refresh: 1 })],
    'panel-datasource-rule': [first((panel) => (panel.datasource = { uid: 'prometheus' }))],
    'panel-title-description-rule': [
      first((panel) => (panel.title = '')),
      first((panel) => (panel.description = 'A panel.')),
    ],
    'panel-units-rule': [first((panel) => (panel.fieldConfig!.defaults.unit = 'parsecs'))],
    'panel-no-targets-rule': [first((panel) => (panel.targets = []))],
    'target-promql-rule': [expr('sum(('), expr('1 + 1')],
    'target-rate-interval-rule': [expr(`rate(a_total{${OWN}}[5m])`)],
    'target-job-rule': [expr('a{instance=~"$instance"}'), expr('a{job="$job", instance=~"$instance"}')],
    'target-instance-rule': [expr('a{job=~"$job"}')],
    'target-counter-agg-rule': [expr(`sum(a_total{${OWN}})`), expr(`max_over_time(a_total{${OWN}}[5m])`)],
    'uneditable-rule': [(d) => (d.editable = true)],
    'links to the others': [
      (d) => d.links!.pop(),
      (d) => (d.links![0]!.includeVars = true),
      (d) => (d.links![0]!.url = '/d/bgproutes-prefix'),
      (d) => Object.assign(d.links![0]!, { placement: 'inControlsMenu' }),
    ],
    'tiles show what is true now': [
      first((panel) => Object.assign(targetsOf(panel)[0]!, { instant: false, range: true })),
      first((panel) => delete panel.fieldConfig!.defaults.noValue),
    ],
    'columns of tables exist': [
      ofType('table', (panel) => Object.assign(panel.options, { sortBy: [{ displayName: 'Beauty' }] })),
      ofType('table', (panel) => (panel.fieldConfig!.overrides[0]!.matcher.options = 'Beauty')),
    ],
    'legends leave room for the lines': [ofType('timeseries', (panel) => (panel.gridPos!.w = 8))],
    'a short legend begins with what is most': [
      ofType('timeseries', (panel) => {
        Object.assign(panel.fieldConfig!.defaults.custom!, { stacking: { mode: 'normal', group: 'A' } });
        Object.assign(panel.options!, { legend: { placement: 'bottom', showLegend: true } });
      }),
    ],
    'names of alerts are read whole': [
      (d) => {
        const panel = panelsOf(d).find(({ title }) => title === 'Firing alerts')!;
        const column = panel.fieldConfig!.overrides.find(({ matcher }) => matcher.options === 'Alert')!;
        column.properties.find(({ id }) => id === 'custom.width')!.value = 235;
      },
    ],
    'panels lie on the grid': [first((panel) => (panel.gridPos!.x = 22)), first((panel) => (panel.gridPos!.x = 3))],
    'exporters may differ in any label': [
      expr(`a{${OWN}} - on (job, instance, prefix) b{${OWN}}`),
      expr(`a{${OWN}} * on (prefix) group_left (instance) b{${OWN}}`),
    ],
    'names of lines have the job': [first((panel) => (targetsOf(panel)[0]!.legendFormat = '{{instance}}'))],
    'labels in tables are text': [
      ofType('table', (panel) => panel.fieldConfig!.overrides.shift()),
      ofType('table', (panel) => (panel.fieldConfig!.overrides[0]!.properties[0]!.value = 'short')),
    ],
    'zeros lie on a short axis': [
      ofType(
        'timeseries',
        (panel) => delete (panel.fieldConfig!.defaults.custom as { axisSoftMax?: number }).axisSoftMax,
      ),
    ],
    'bars and cells have colours that everybody can tell apart': [
      ofType('state-timeline', (panel) => (panel.fieldConfig!.defaults.thresholds!.steps[0]!.color = 'green')),
      ofType('table', (panel) =>
        panel.fieldConfig!.overrides[0]!.properties.push({ id: 'thresholds', value: { steps: [{ color: 'yellow' }] } }),
      ),
    ],
    'titles are different': [(d) => (panelsOf(d)[1]!.title = panelsOf(d)[0]!.title)],
    'annotations are PromQL': [(d) => (d.annotations.list = []), (d) => (d.annotations.list![0]!.expr = 'sum(')],
  };

  it('there is a breach of every rule here', () => {
    expect(Object.keys(breaches).sort()).toEqual(Object.keys(RULES).sort());
  });

  it.each(Object.keys(RULES))('%s', (rule) => {
    for (const breach of breaches[rule]!) {
      const dashboard = read('overview.json');
      breach(dashboard);
      expect(RULES[rule]!(dashboard), String(breach)).not.toEqual([]);
    }
  });
});
