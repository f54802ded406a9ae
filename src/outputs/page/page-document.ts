/** The whole documents of the page, which say everything without a script, and are alive with one. */
import { inTurns } from '../../in-turns.ts';
import type { PrefixDetail, PrefixSummary, Status } from './api-schemas.ts';
import { escapeHtml, timeHtml } from './render/html.ts';
import {
  compareRows,
  type Filter,
  matches,
  noneText,
  OVERVIEW_COLUMNS,
  rowHtml,
  statusHtml,
  tallyHtml,
} from './render/overview.ts';
import { chartsHtml, prefixParts, windowLinks } from './render/prefix.ts';
import { STATE_ORDER, STATES } from './render/states.ts';

/** What the server knows of its own paths. */
export interface PageLinks {
  /** From the root of the exporter, without the slash before it. */
  readonly telemetryPath: string;
  readonly style: string;
  /** Undefined: the build has made none. */
  readonly script: string | undefined;
}

/** Only what the exporter itself serves is loaded and run; no style and no script stands in the markup. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const REFRESH_SECONDS = 10;
/** With more rows than this, the browser does not lay out those that are out of sight. */
const MANY_ROWS = 100;

interface Frame {
  readonly title: string;
  /** Leads from the document to the root of the exporter. */
  readonly root: string;
  readonly kind: 'overview' | 'prefix';
  readonly heading: string;
  readonly main: string;
  readonly status: Status;
  readonly links: PageLinks;
}

function documentOf({ title, root, kind, heading, main, status, links }: Frame): string {
  const { now, version } = status;
  const script = links.script === undefined ? '' : `<script type="module" src="${root}${links.script}"></script>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${root}${links.style}">
<noscript><meta http-equiv="refresh" content="${REFRESH_SECONDS}"></noscript>
${script}
</head>
<body data-page="${kind}" data-root="${root}">
<header class="top"><h1>${heading}</h1><span class="live plain" id="live" role="status">as of ${now.slice(11, 19)} UTC</span><span class="clock" id="clock">${now.slice(0, 19).replace('T', ' ')} UTC</span></header>
<main>
${main}
</main>
<footer><span>bgproutes-exporter ${escapeHtml(version)}, running since ${timeHtml(status.started_at)} UTC</span><a href="${root}${escapeHtml(links.telemetryPath)}">Metrics</a><a href="${root}api/v1/prefixes">API</a><a href="${root}api/v1/openapi.json">OpenAPI</a><a href="${root}runbook">Runbook</a><a href="${root}-/ready">Ready</a><a href="${root}-/healthy">Healthy</a></footer>
</body>
</html>
`;
}

function* rowsHtml(rows: readonly PrefixSummary[], filter: Filter): Generator<void, string> {
  const texts: string[] = [];
  for (const row of rows) {
    texts.push(rowHtml(row, !matches(row, filter)));
    yield;
  }
  return texts.join('\n');
}

/** Rows are written in turns of the event loop: a thousand of them hold nobody up. */
export async function overviewDocument(
  status: Status,
  summaries: readonly PrefixSummary[],
  filter: Filter,
  links: PageLinks,
): Promise<string> {
  const rows = [...summaries].sort(compareRows);
  const groups = [...new Set(rows.map(({ group }) => group).filter((group) => group !== ''))].sort();
  const shown = rows.filter((row) => matches(row, filter)).length;
  const option = (value: string, text: string, chosen: string) =>
    `<option value="${escapeHtml(value)}"${value === chosen ? ' selected' : ''}>${escapeHtml(text)}</option>`;
  const states = STATE_ORDER.map((state) => option(state, STATES[state].word, filter.state)).join('');
  const heads = OVERVIEW_COLUMNS.map((name) => `<th role="columnheader" scope="col">${name}</th>`).join('');
  return documentOf({
    ...{ title: 'bgproutes-exporter', root: './', kind: 'overview', heading: 'bgproutes-exporter', status, links },
    main: `<section class="card" aria-label="Now"><div id="tally">${tallyHtml(rows)}</div><div id="status">${statusHtml(status)}</div></section>
<form class="filter" role="search" action="./" method="get">
<label class="text">Filter<input type="search" name="q" id="q" value="${escapeHtml(filter.text)}" placeholder="prefix, description or AS" autocomplete="off"></label>
<label>State<select name="state" id="state">${option('', 'any', filter.state)}${states}</select></label>
<label>Group<select name="group" id="group">${option('', 'any', filter.group)}${groups.map((group) => option(group, group, filter.group)).join('')}</select></label>
<button type="submit" id="apply">Apply</button>
<output id="shown" for="q state group">${shown} of ${rows.length} shown</output>
</form>
<div class="rows"><table role="table" aria-label="Monitored prefixes, worst first"><thead role="rowgroup"><tr role="row">${heads}</tr></thead>
<tbody role="rowgroup" id="rows"${rows.length > MANY_ROWS ? ' class="many"' : ''}>${await inTurns(rowsHtml(rows, filter))}</tbody></table><p class="none" id="none"${shown > 0 ? ' hidden' : ''}>${noneText(rows.length)}</p></div>`,
  });
}

export function prefixDocument(
  status: Status,
  detail: PrefixDetail,
  window: '1h' | '24h' | '7d',
  links: PageLinks,
): string {
  const { prefix, description, group } = detail;
  const parts = prefixParts(detail);
  const about = [description, group].filter((text) => text !== '').join(' · ');
  const section = (title: string, id: string) =>
    `<section class="card"><h2>${title}</h2><div id="${id}">${parts[id]}</div></section>`;
  return documentOf({
    ...{ title: `${prefix}: bgproutes-exporter`, root: '../../', kind: 'prefix', status, links },
    heading: `<a href="../../" aria-label="All prefixes">←</a> <code>${escapeHtml(prefix)}</code>`,
    main: `<section class="card" aria-label="Now" data-prefix="${escapeHtml(prefix)}" data-window="${window}"><p class="now"><span id="p-state">${parts['p-state']}</span> <span class="dim">${escapeHtml(about)}</span></p><div id="p-figures">${parts['p-figures']}</div></section>
<section class="card"><h2>The past</h2>${windowLinks(window)}<div class="charts" id="charts">${chartsHtml(detail)}</div></section>
${section('What happened', 'p-marks')}
<div class="two">${section('Origins', 'p-origins')}${section('Upstreams', 'p-upstreams')}</div>
${section('Paths to the origin', 'p-graph')}
<div class="two">${section('Vantage points', 'p-vps')}${section('Who does not see it', 'p-missing')}</div>
${section('Last changes', 'p-changes')}`,
  });
}
