/** The page at `/`: for a person who wants to know at a glance whether the exporter works and what it sees. Pure. */
import { createHash } from 'node:crypto';
import type { BuildInfo } from '../version.ts';

export interface LandingPrefix {
  readonly prefix: string;
  /** Empty when not given. */
  readonly description: string;
  readonly group: string;
  readonly visibleVps: number;
  readonly expectedVps: number;
  readonly trust: LandingTrust;
  /** As in the metrics; most VPs first, here and below. */
  readonly origins: readonly LandingAs[];
  /** Those that are not among the configured ones; empty where none are configured. */
  readonly unexpectedUpstreams: readonly LandingAs[];
  /** Those that a VP sees now. */
  readonly moreSpecifics: readonly { readonly prefix: string; readonly vps: number }[];
}

/**
 * What the counts of a prefix are worth. `trusted`: complete and current. `incomplete`: the stream is up, but the prefix's
 * part of the table is not known to be complete. `old`: the stream that carries the prefix is down, so the counts are from
 * before it went down.
 */
export type LandingTrust = 'trusted' | 'incomplete' | 'old';

export interface LandingAs {
  /** A number, or an AS_SET `{64501,64502}`. */
  readonly as: string;
  readonly vps: number;
  /** False: not among the configured ones. True also where none are configured. */
  readonly expected: boolean;
}

export interface LandingStream {
  readonly source: string;
  readonly session: string;
  readonly up: boolean;
  /** Why it is down, and since when (Unix ms); undefined while it is up, and before its first attempt has failed. */
  readonly trouble: { readonly sinceMs: number; readonly text: string } | undefined;
  readonly subscribedPrefixes: number;
  /** Receipt of the newest message about routes, Unix ms; undefined before the first. */
  readonly lastUpdateAtMs: number | undefined;
}

export interface LandingFacts {
  readonly build: BuildInfo;
  /** Unix ms. */
  readonly nowMs: number;
  readonly startedAtMs: number;
  /** Whatever else is to be said, a line each. */
  readonly notes: readonly string[];
  /** `seeded`: counts are complete; `unseeded`: too low since the start; `off`: seeding is not configured. */
  readonly table: 'seeded' | 'unseeded' | 'off';
  /** In the order of the configuration; the page shows the first `MAX_ROWS`. */
  readonly prefixes: readonly LandingPrefix[];
  readonly streams: readonly LandingStream[];
}

/** What the web server knows itself. */
export interface LandingLinks {
  readonly telemetryPath: string;
  /** Undefined: ready. */
  readonly notReadyReason: string | undefined;
}

/** More rows are no glance; the metrics have them all. */
const MAX_ROWS = 100;
const MAX_LISTED = 4;

const REFRESH_SECONDS = 10;

const STYLE = `
:root{color-scheme:light dark;--text:#1a2330;--dim:#5d6b7c;--line:#dfe5ec;--back:#fff;--head:#f5f7fa;--good:#0b7a4b;--warn:#9a5b00;--bad:#b3261e;--bar:#3b82c4;--track:#e6ebf1}
@media(prefers-color-scheme:dark){:root{--text:#e4e9ef;--dim:#98a5b4;--line:#2c3743;--back:#12181f;--head:#1a222b;--good:#4cc38a;--warn:#e0a443;--bad:#f2756d;--bar:#4f9be0;--track:#26303b}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:2rem 1.25rem;background:var(--back);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{margin:0;font-size:1.5rem}h2{margin:2.25rem 0 .6rem;font-size:1.05rem}
p{margin:.35rem 0}.dim{color:var(--dim)}.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
nav{display:flex;flex-wrap:wrap;gap:.5rem;margin:1.1rem 0}
nav a{padding:.3rem .75rem;border:1px solid var(--line);border-radius:.4rem;color:inherit;text-decoration:none}
nav a:hover,nav a:focus-visible{background:var(--head)}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.5rem}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th{background:var(--head);color:var(--dim);font-size:.8rem;font-weight:600;text-align:left}
td{white-space:nowrap}td small{white-space:normal}
th,td{padding:.5rem .75rem;border-bottom:1px solid var(--line);vertical-align:top}
tbody tr:last-child td{border-bottom:0}
.number{text-align:right}code{font:.95em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:nowrap}
small{display:block;color:var(--dim)}
progress{display:block;width:7rem;height:.45rem;margin-top:.3rem;border:0;border-radius:1rem;background:var(--track);appearance:none;overflow:hidden}
@media(max-width:40rem){
thead{display:none}tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--line)}tbody tr:last-child{border-bottom:0}
td{display:flex;justify-content:space-between;gap:1rem;padding:.1rem .75rem;border:0;white-space:normal}td>div{text-align:right}
td:first-child>div{text-align:left}td[data-name]::before{content:attr(data-name);color:var(--dim)}progress{margin-left:auto}
}
progress::-webkit-progress-bar{background:var(--track)}progress::-webkit-progress-value{background:var(--bar)}progress::-moz-progress-bar{background:var(--bar)}
`;

/** Nothing may be loaded or run but this very style: what strangers announce is on the page. */
export const CONTENT_SECURITY_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

export function landingPage(facts: LandingFacts, links: LandingLinks): string {
  const { build, nowMs, startedAtMs } = facts;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${REFRESH_SECONDS}">
<title>bgproutes-exporter</title>
<style>${STYLE}</style>
</head>
<body>
<h1>bgproutes-exporter</h1>
<p class="dim">Who sees your prefixes, from which origin, over which path.</p>
<p class="dim">Version ${escapeHtml(build.version)}, revision ${escapeHtml(build.revision)}, Node ${escapeHtml(build.nodeVersion)}; running for ${formatAge(nowMs - startedAtMs)}.</p>
${state(facts, links.notReadyReason)}
<nav><a href=".${escapeHtml(links.telemetryPath)}">Metrics</a><a href="./runbook">Runbook</a><a href="./-/ready">Ready</a><a href="./-/healthy">Healthy</a></nav>
${facts.notes.map((note) => `<p class="dim">${escapeHtml(note)}</p>`).join('')}
<h2>Prefixes</h2>
${prefixTable(facts.prefixes)}
<h2>Streams</h2>
${streamTable(facts.streams, nowMs)}
</body>
</html>
`;
}

function state({ table, prefixes, streams, nowMs }: LandingFacts, notReadyReason: string | undefined): string {
  const ready =
    notReadyReason === undefined
      ? '<p class="good">Ready: the live stream is up.</p>'
      : `<p class="bad">Not ready: ${escapeHtml(notReadyReason)}.</p>`;
  const old = prefixes.filter(({ trust }) => trust === 'old').length;
  const down = streams.filter(({ up }) => !up).map((stream) => `<p class="bad">${troubleOf(stream, nowMs)}</p>`);
  const aged =
    old === 0
      ? ''
      : `<p class="bad">Counts of ${old} of ${prefixes.length} prefixes are old: nothing is heard of them now.</p>`;
  const complete = prefixes.filter(({ trust }) => trust === 'trusted').length;
  const progress =
    complete === 0 || complete === prefixes.length ? '' : `, ${complete} of ${prefixes.length} prefixes are`;
  const seeded = {
    seeded: '',
    unseeded: `<p class="warn">The table is not complete${progress}: counts may be too low or too high until it has been read.</p>`,
    off: '<p class="warn">The table is not seeded, by configuration: only vantage points that spoke since the start count.</p>',
  }[table];
  return ready + aged + down.join('') + seeded;
}

function troubleOf({ source, session, trouble }: LandingStream, nowMs: number): string {
  const name = `Session ${escapeHtml(session)} of ${escapeHtml(source)}`;
  if (trouble === undefined) return `${name} is not connected yet.`;
  return `${name} has been down for ${formatAge(nowMs - trouble.sinceMs)}: ${escapeHtml(trouble.text)}`;
}

const PREFIX_COLUMNS: readonly Column[] = [
  { name: 'Prefix' },
  { name: 'Visible VPs', isNumber: true },
  { name: 'Expected VPs', isNumber: true },
  { name: 'Visibility' },
  { name: 'Trusted' },
  { name: 'Origins (VPs)' },
  { name: 'Unexpected upstreams, more-specifics (VPs)' },
];

const TRUST: Readonly<Record<LandingTrust, string>> = {
  trusted: 'yes',
  incomplete: '<span class="warn">no: incomplete</span>',
  old: '<span class="bad">no: old</span>',
};

function prefixTable(prefixes: readonly LandingPrefix[]): string {
  const rows = prefixes.slice(0, MAX_ROWS).map((each) => {
    const { prefix, description, group, visibleVps, expectedVps, trust, origins } = each;
    const about = [description, group].filter((text) => text !== '').join(' · ');
    const ratio = expectedVps === 0 ? undefined : visibleVps / expectedVps;
    return [
      `<code>${escapeHtml(prefix)}</code>${about === '' ? '' : `<small>${escapeHtml(about)}</small>`}`,
      String(visibleVps),
      String(expectedVps),
      visibility(ratio, trust),
      TRUST[trust],
      list(origins.map(({ as, vps, expected }) => asCount(as, vps, expected))),
      list([
        ...each.unexpectedUpstreams.map(({ as, vps }) => `<span class="bad">upstream ${asCount(as, vps, true)}</span>`),
        ...each.moreSpecifics.map((part) => `<span class="bad">${escapeHtml(part.prefix)} (${part.vps})</span>`),
      ]),
    ];
  });
  const rest = prefixes.length - rows.length;
  return `${table(PREFIX_COLUMNS, rows)}${rest > 0 ? `\n<p class="dim">and ${rest} more; the metrics have them all.</p>` : ''}`;
}

/** Green, yellow or red only where the numbers are worth it: an old 100 % is no good news. */
function visibility(ratio: number | undefined, trust: LandingTrust): string {
  if (ratio === undefined) return '<span class="dim">not seen yet</span>';
  // Rounded down: 99.97 % is not all of them.
  const percent = Math.floor(ratio * 1000) / 10;
  const tone = trust !== 'trusted' ? 'dim' : ratio >= 0.95 ? 'good' : ratio >= 0.5 ? 'warn' : 'bad';
  const bar = `<progress max="1" value="${ratio.toFixed(4)}" aria-hidden="true"></progress>`;
  return `<span class="${tone}">${percent} %${trust === 'old' ? ', old' : ''}</span>${trust === 'old' ? '' : bar}`;
}

function asCount(as: string, vps: number, expected: boolean): string {
  const text = `${/^[0-9]/.test(as) ? 'AS' : ''}${escapeHtml(as)} (${vps})`;
  return expected ? text : `<span class="bad">${text} unexpected</span>`;
}

/** Lines of HTML, the first `MAX_LISTED` of them. */
function list(lines: readonly string[]): string {
  if (lines.length === 0) return '<span class="dim">none</span>';
  const rest = lines.length - MAX_LISTED;
  return lines.slice(0, MAX_LISTED).join('<br>') + (rest > 0 ? `<small>and ${rest} more</small>` : '');
}

const STREAM_COLUMNS: readonly Column[] = [
  { name: 'Source' },
  { name: 'Session', isNumber: true },
  { name: 'State' },
  { name: 'Subscribed prefixes', isNumber: true },
  { name: 'Last message' },
];

function streamTable(streams: readonly LandingStream[], nowMs: number): string {
  const rows = streams.map(({ source, session, up, subscribedPrefixes, lastUpdateAtMs }) => [
    escapeHtml(source),
    escapeHtml(session),
    up ? '<span class="good">up</span>' : '<span class="bad">down</span>',
    String(subscribedPrefixes),
    lastUpdateAtMs === undefined ? 'none yet' : `${formatAge(nowMs - lastUpdateAtMs)} ago`,
  ]);
  return table(STREAM_COLUMNS, rows);
}

interface Column {
  readonly name: string;
  readonly isNumber?: boolean;
}

/** Cells are HTML. Each names its column, for a narrow window: there a row is a block and the head is not shown. */
function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const tone = ({ isNumber }: Column): string => (isNumber === true ? ' class="number"' : '');
  const head = columns.map((column) => `<th${tone(column)}>${column.name}</th>`).join('');
  const body = rows.map((cells) => {
    const row = cells.map((cell, i) => {
      const name = i === 0 ? '' : ` data-name="${columns[i].name}"`;
      return `<td${tone(columns[i])}${name}><div>${cell}</div></td>`;
    });
    return `<tr>${row.join('')}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead>
<tbody>${body.join('\n')}</tbody></table></div>`;
}

/** `5 s`, `3 min`, `2 h 5 min`, `4 d 3 h`. */
function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}
