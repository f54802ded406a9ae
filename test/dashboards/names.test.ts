import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { dashboards } from '../../dashboards/src/generate.ts';
import { LEFT_OUT } from '../../src/metrics/runtime-metrics.ts';
import { RECORDED, RULES } from '../alerts/rules-file.ts';
import { panelsOf, targetsOf } from './lint.ts';
import { CATALOGUE, metricOf, metricsIn, namesIn, wrongNames } from './names.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const documents = [
  ...readdirSync(`${ROOT}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'].filter((name) => existsSync(ROOT + name)),
];
const read = (name: string) => readFileSync(ROOT + name, 'utf8');

const queries = [...dashboards().values()].flatMap((dashboard) => [
  ...panelsOf(dashboard).flatMap((panel) => targetsOf(panel).map((target) => target.expr)),
  ...(dashboard.annotations.list ?? []).map((annotation) => annotation.expr!),
]);

/** Dashboards do without the rules where they are not loaded; these make them know more. */
const OF_RULES = new Set([...RECORDED, 'ALERTS', 'ALERTS_FOR_STATE']);

it('every query of every dashboard reads only metrics and labels of the catalogue', () => {
  for (const query of queries) expect(wrongNames(query, OF_RULES)).toEqual([]);
  for (const dashboard of dashboards().values()) {
    for (const variable of dashboard.templating.list ?? []) {
      const inner = /^label_values\((.+), [a-z_]+\)$/.exec(String(variable.query))?.[1];
      if (inner !== undefined) expect(wrongNames(inner, new Set())).toEqual([]);
    }
  }
});

it.each(documents)('%s names only metrics that exist', (name) => {
  const unknown = namesIn(read(name)).filter(
    // A family name is a right name too: `bgp_stream_frames` of bgp_stream_frames_total.
    (word) =>
      metricOf(word) === undefined &&
      !RECORDED.has(word) &&
      // The list of all metrics says which of prom-client's it leaves out.
      !LEFT_OUT.has(word) &&
      !CATALOGUE.some((metric) => metric.familyName === word),
  );
  expect([...new Set(unknown)]).toEqual([]);
});

it('a name that does not exist is found in a text', () => {
  expect(namesIn('see `bgp_prefix_seen` and bgp:prefix_seen:ratio, not docs/bgp_notes.md')).toEqual([
    'bgp_prefix_seen',
    'bgp:prefix_seen:ratio',
  ]);
});

it('every metric of the catalogue is on a dashboard, in a rule, or explained in a document', () => {
  const used = new Set([...queries, ...RULES.map((rule) => rule.expr)].flatMap((query) => metricsIn(query)));
  // The generated list of all metrics explains none of them.
  const text = documents.filter((name) => name !== 'docs/metrics.md').flatMap((name) => namesIn(read(name)));
  const unused = CATALOGUE.filter((metric) => !used.has(metric) && !text.includes(metric.name));
  expect(unused.map((metric) => metric.name)).toEqual([]);
});
