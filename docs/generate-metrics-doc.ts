/** Writes docs/metrics.md from the catalogue: `npm run docs:metrics`. A test says when the file is stale. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  exporterMetrics,
  fleetMetrics,
  ingestMetrics,
  legitimacyMetrics,
  nameMetrics,
  placeMetrics,
  prefixMetrics,
  rpkiMetrics,
  streamMetrics,
  tableMetrics,
} from '../src/metrics/catalogue.ts';
import type { Metric } from '../src/metrics/metric.ts';
import { LEFT_OUT, runtimeMetrics } from '../src/metrics/runtime-metrics.ts';

export const METRICS_DOC = fileURLToPath(new URL('metrics.md', import.meta.url));

interface Section {
  readonly title: string;
  readonly text: string;
  readonly metrics: readonly Metric[];
}

const SECTIONS: readonly Section[] = [
  {
    title: 'Prefixes',
    text: `Every monitored prefix has its series from the first scrape on, at 0 while nothing is known yet, except for metrics that say
"absent". They are about exactly that prefix; only the metrics of more-specifics are about longer prefixes inside it.`,
    metrics: Object.values(prefixMetrics),
  },
  {
    title: 'From where',
    text: `The same vantage points, by the place where they are ([numbers.md](numbers.md#where-from-which-parts-of-the-internet)). A prefix has all regions and
projects from the first scrape on.`,
    metrics: Object.values(placeMetrics),
  },
  {
    title: 'Legitimacy',
    text: `These exist only if \`rpki\` or \`paths\` is configured ([rpki.md](rpki.md)). Every monitored prefix then has its series from the first scrape on. Those of the
RPKI are absent while no validated data is usable, because a verdict by old data could be wrong.`,
    metrics: Object.values(legitimacyMetrics),
  },
  {
    title: 'Names',
    text: 'These exist only if `names` is configured ([rpki.md](rpki.md#names-of-ases)).',
    metrics: Object.values(nameMetrics),
  },
  {
    title: 'A fleet',
    text: 'These exist only if `fleet` is configured ([fleet.md](fleet.md)), so that several exporters share the prefixes.',
    metrics: Object.values(fleetMetrics),
  },
  {
    title: 'The ingest of a fleet',
    text: 'Only `bgproutes-exporter ingest` has these ([fleet.md](fleet.md)), besides the metrics of its streams and of its process.',
    metrics: Object.values(ingestMetrics),
  },
  {
    title: 'The table',
    text: 'What the table holds, and how it is kept complete.',
    metrics: Object.values(tableMetrics),
  },
  {
    title: 'Streams',
    text: `The label \`source\` is \`bgproutes\`, \`ris-live\` or \`kafka\`. bgproutes.io has one session for each API key, and each other source has one. Sessions are
numbered \`0\`, \`1\`, … over all sources; a key itself is never a label.`,
    metrics: Object.values(streamMetrics),
  },
  {
    title: 'Validated RPKI data',
    text: `These exist only if \`rpki\` is configured. The label \`rpki_source\` is the place of the source in the list: \`0\`, \`1\`, … A URL is never a label.`,
    metrics: Object.values(rpkiMetrics),
  },
  {
    title: 'The exporter',
    text: 'What runs, and the state of its outputs.',
    metrics: Object.values(exporterMetrics),
  },
  {
    title: 'Process and runtime',
    text: `Measured by [prom-client](https://github.com/siimon/prom-client), under its names. Left out: ${[...LEFT_OUT]
      .map((name) => `\`${name}\``)
      .join(', ')}; OpenMetrics allows
no gauge of such a name, and \`sum()\` over the series without \`_total\` gives the same.`,
    metrics: Object.values(runtimeMetrics),
  },
];

/** The whole file. */
export function metricsDoc(): string {
  return `<!-- Written by docs/generate-metrics-doc.ts from src/metrics/: change those, then run npm run docs:metrics. -->

# Metrics

All metrics are at \`/metrics\` (Prometheus text and OpenMetrics). If [OTLP](otlp.md) is on, the same series with the same values are pushed too. All series of
one prefix show the same moment. A large answer is written in slices of 4 ms, so that a scrape does not hold up the stream; different prefixes in
it may be some slices apart.

A collector or Prometheus turns the OTLP name into the name at \`/metrics\`, by the rules of the OpenTelemetry specification ("Prometheus and OpenMetrics
Compatibility"). Characters other than letters and digits become \`_\`. The word of the unit is added (\`s\`: \`seconds\`, \`By\`: \`bytes\`; units such as \`{vp}\` add
nothing). Counters end in \`_total\`, and gauges with the unit \`1\` in \`_ratio\`. So the same dashboards and rules work for both.

The column *series* says how many series of the metric one exporter has at most. VP means vantage point; other words are in the [glossary](glossary.md).

${SECTIONS.map(sectionText).join('\n')}`;
}

function sectionText({ title, text, metrics }: Section): string {
  return `## ${title}

${text}

| metric | kind | OTLP name, unit | meaning | series |
| --- | --- | --- | --- | --- |
${metrics.map(row).join('\n')}
`;
}

function row({ name, labels, kind, otlpName, unit, help, bound }: Metric): string {
  const own = labels.length === 0 ? '' : `{${labels.join(',')}}`;
  const cells = [
    `\`${name}${own}\``,
    kind,
    unit === '' ? `\`${otlpName}\`` : `\`${otlpName}\`, \`${unit}\``,
    help,
    bound,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(METRICS_DOC, metricsDoc());
