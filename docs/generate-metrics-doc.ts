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
    text: `Every monitored prefix has its series from the first scrape on, at 0 where nothing is known yet, but for those that say
"absent". They speak of that very prefix; only the two metrics of more-specifics speak of what lies inside it.`,
    metrics: Object.values(prefixMetrics),
  },
  {
    title: 'From where',
    text: `The same vantage points, by where they are ([numbers.md](numbers.md#where-from-which-parts-of-the-internet)). A prefix has all of its regions and
projects from the first scrape on.`,
    metrics: Object.values(placeMetrics),
  },
  {
    title: 'Legitimacy',
    text: `Only where \`rpki\` or \`paths\` is configured ([rpki.md](rpki.md)). Every monitored prefix then has its series from the first scrape
on; those of the RPKI are absent while no validated data is usable, because a verdict on old data would be wrong.`,
    metrics: Object.values(legitimacyMetrics),
  },
  {
    title: 'Names',
    text: 'Only where `names` is configured ([rpki.md](rpki.md#names-of-ases)).',
    metrics: Object.values(nameMetrics),
  },
  {
    title: 'A fleet',
    text: 'Only where `fleet` is configured ([fleet.md](fleet.md)): several exporters share the prefixes.',
    metrics: Object.values(fleetMetrics),
  },
  {
    title: 'The ingest of a fleet',
    text: 'Only of `bgproutes-exporter ingest` ([fleet.md](fleet.md)), beside those of its streams and of its process.',
    metrics: Object.values(ingestMetrics),
  },
  {
    title: 'The table',
    text: 'What is held as a whole, and how it is kept complete.',
    metrics: Object.values(tableMetrics),
  },
  {
    title: 'Streams',
    text: `One session of the live stream per API key, labelled \`session\` \`0\`, \`1\`, … in the order of the keys: a key itself is never a
label.`,
    metrics: Object.values(streamMetrics),
  },
  {
    title: 'Validated RPKI data',
    text: `Only where \`rpki\` is configured. A source is labelled \`rpki_source\` \`0\`, \`1\`, … in the order of the list: a URL is never a
label.`,
    metrics: Object.values(rpkiMetrics),
  },
  {
    title: 'The exporter',
    text: 'What runs, and how its outputs do.',
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

All of them are at \`/metrics\` (Prometheus text and OpenMetrics), and go out through [OTLP](otlp.md) when that is on: the same
series with the same values. The series of one prefix are always of one moment; a large body at \`/metrics\` is written in
slices of 4 ms, so that no scrape holds up the stream, and its prefixes may be some slices apart.

The OTLP name is the dotted form without unit and suffix; what a collector or Prometheus makes of it is the name at
\`/metrics\`, by the rules of the OpenTelemetry specification ("Prometheus and OpenMetrics Compatibility"): what is no letter or digit becomes \`_\`, the
unit's word is added (\`s\`: \`seconds\`, \`By\`: \`bytes\`; \`{vp}\` and the like add nothing), counters end in \`_total\`, gauges of unit
\`1\` in \`_ratio\`. So one set of dashboards and rules serves both ways.

The column *series* bounds how many series one exporter can have of a metric.

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
