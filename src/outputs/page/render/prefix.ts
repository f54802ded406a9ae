/** The page of one prefix, part by part: the script replaces a part when its text differs. */
import type { ChangeAnswer, MarkAnswer, PastAnswer, PrefixDetail } from '../api-schemas.ts';
import { asName, counted, escapeHtml, nameHtml, percent, short, timeHtml } from './html.ts';
import { VALIDITY_WORDS } from './overview.ts';
import { meter, pathGraph } from './pictures.ts';
import { chartsOf } from './prefix-charts.ts';
import { stateHtml } from './states.ts';
import { timeChart } from './time-chart.ts';

export const WINDOWS = ['1h', '24h', '7d'] as const;
const WINDOW_WORDS = { '1h': 'last hour', '24h': 'last day', '7d': 'last week' } as const;

const MARK_WORDS: Readonly<Record<MarkAnswer['kind'], string>> = {
  hijack: 'An unexpected origin appeared',
  hijack_over: 'No unexpected origin any more',
  outage: 'Outage: fewer than half of the expected vantage points see it',
  recovery: 'Recovery: 95 % of the expected vantage points see it again',
  more_specific: 'A more-specific appeared',
  more_specific_over: 'No more-specific any more',
  path_change: 'Many vantage points changed their path',
  vp_loss: 'Vantage points were lost: they, or their source, went down',
  gap: 'Gap: the counts are not known to be complete',
  gap_over: 'The counts are complete again',
};

/** Parts by the ids of their elements. */
export function prefixParts(detail: PrefixDetail): Readonly<Record<string, string>> {
  return {
    'p-state': `${stateHtml(detail.state)}${detail.trusted ? '' : ' <span class="chip warn">not trusted: incomplete or old</span>'}`,
    'p-figures': figures(detail),
    'p-origins': origins(detail),
    'p-upstreams': upstreams(detail),
    'p-graph': pathGraph(detail.path_links, detail.as_names),
    'p-vps': vantagePoints(detail),
    'p-missing': missing(detail),
    'p-marks': marks(detail.marks),
    'p-changes': changes(detail),
  };
}

function figures(detail: PrefixDetail): string {
  const { visible_vps: visible, expected_vps: expected, visibility_ratio: ratio, counters } = detail;
  const tiles = [
    ['Visible VPs', `${visible}`, `of ${expected} expected${ratio === null ? '' : meter(ratio)}`],
    ['Visibility', ratio === null ? 'none' : percent(ratio), 'of the expected VPs'],
    ['Origins', `${detail.origin_count}`, unexpected(detail.unexpected_origin_vps)],
    ['Upstreams', `${detail.upstream_count}`, unexpected(detail.unexpected_upstream_vps)],
    [
      'Mean path length',
      detail.as_path_length_mean === null ? 'none' : short(detail.as_path_length_mean),
      lengths(detail),
    ],
    [
      'More-specifics',
      `${detail.more_specific_count}`,
      detail.more_specifics.map(({ prefix, vps }) => `<code>${escapeHtml(prefix)}</code> ${vps}`).join('<br>') ||
        'seen now',
    ],
    ['Events', detail.events_per_minute === null ? 'not kept' : short(detail.events_per_minute), 'in the last minute'],
    ['Changes', `${counters.path_changes}`, `of paths since ${timeHtml(counters.since)}`],
  ];
  return `<dl class="figures">${tiles.map(([name, value, small]) => `<div><dt>${name}</dt><dd><b>${value}</b><small>${small}</small></dd></div>`).join('')}</dl>`;
}

function unexpected(vps: number | null): string {
  if (vps === null) return 'none configured';
  return vps === 0
    ? 'all expected'
    : `<span class="bad">${counted(vps, 'VP sees', 'VPs see')} an unexpected one</span>`;
}

function lengths({ as_path_length_min: min, as_path_length_max: max, prepended_vps: prepended }: PrefixDetail): string {
  return min === null ? '' : `${min} to ${max}, prepended at ${counted(prepended, 'VP', 'VPs')}`;
}

interface Column {
  readonly name: string;
  readonly isNumber?: boolean;
}

/** A small table; cells are HTML. Roles are told, because a narrow window shows some tables as blocks. */
function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  none: string,
): string {
  if (rows.length === 0) return `<p class="dim">${none}</p>`;
  const tone = (i: number) => (columns[i].isNumber === true ? ' class="number"' : '');
  const head = columns.map(({ name }, i) => `<th role="columnheader" scope="col"${tone(i)}>${name}</th>`).join('');
  const body = rows
    .map(
      (cells) =>
        `<tr role="row">${cells.map((cell, i) => `<td role="cell"${tone(i)} data-name="${columns[i].name}">${cell}</td>`).join('')}</tr>`,
    )
    .join('');
  return `<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table role="table" class="small"><caption class="away">${caption}</caption><thead role="rowgroup"><tr role="row">${head}</tr></thead><tbody role="rowgroup">${body}</tbody></table></div>`;
}

function origins({ origins: list, origin_count: count }: PrefixDetail): string {
  const rows = list.map(({ as, name, vps, expected, validity }) => [
    asName(as) + nameHtml(name),
    String(vps),
    expected ? 'expected' : '<span class="bad">unexpected</span>',
    validity === null ? '<span class="dim">not judged</span>' : VALIDITY_WORDS[validity],
  ]);
  const columns = [{ name: 'Origin' }, { name: 'VPs', isNumber: true }, { name: 'Configured' }, { name: 'RPKI' }];
  return table('Origins', columns, rows, 'No vantage point sees the prefix.') + more(count - list.length);
}

function upstreams({ upstreams: list, upstream_count: count, visible_vps: visible }: PrefixDetail): string {
  const rows = list.map(({ as, name, vps, expected }) => [
    asName(as) + nameHtml(name),
    String(vps),
    visible === 0 ? '' : percent(vps / visible),
    expected ? 'expected' : '<span class="warn">unexpected</span>',
  ]);
  const columns = [
    { name: 'Upstream' },
    { name: 'VPs', isNumber: true },
    { name: 'Share', isNumber: true },
    { name: 'Configured' },
  ];
  return table('Upstreams', columns, rows, 'No vantage point sees an upstream.') + more(count - list.length);
}

function more(count: number): string {
  return count > 0 ? `<p class="dim">and ${count} more</p>` : '';
}

function vantagePoints({ vantage_points: groups, regions }: PrefixDetail): string {
  const none = 'No vantage point is expected to see it yet.';
  const sources = groups.map(({ source, protocol, ...counts }) => [
    ...[escapeHtml(source), protocol.toUpperCase()],
    ...seenCells(counts),
  ]);
  const bySource = table(
    ...([
      'Vantage points by source',
      [{ name: 'Source' }, { name: 'Protocol' }, ...SEEN_COLUMNS],
      sources,
      none,
    ] as const),
  );
  if (regions.length === 0) return bySource;
  const places = regions.map(({ region, ...counts }) => [REGION_WORDS[region], ...seenCells(counts)]);
  return bySource + table('Vantage points by region', [{ name: 'Region' }, ...SEEN_COLUMNS], places, none);
}

const SEEN_COLUMNS = [
  ...[
    { name: 'Visible', isNumber: true },
    { name: 'Expected', isNumber: true },
  ],
  { name: 'Visibility' },
];

function seenCells({ visible, expected }: { readonly visible: number; readonly expected: number }): string[] {
  const share = expected === 0 ? '' : `${percent(visible / expected)}${meter(visible / expected)}`;
  return [String(visible), String(expected), share];
}

const REGION_WORDS = {
  ...{ africa: 'Africa', asia: 'Asia', europe: 'Europe', north_america: 'North America' },
  ...{ south_america: 'South America', oceania: 'Oceania', unknown: 'not known' },
} as const;

function missing({ missing: list, missing_count: count, expected_vps: expected }: PrefixDetail): string {
  const rows = list.map(({ vp, since }) => [
    `AS${vp.asn}${nameHtml(vp.name)}`,
    `<code>${escapeHtml(vp.ip)}</code>`,
    since === null ? '<span class="dim">not known</span>' : timeHtml(since),
  ]);
  const columns = [{ name: 'AS' }, { name: 'Vantage point' }, { name: 'Since (UTC)' }];
  const none = expected === 0 ? 'No vantage point is expected to see it yet.' : 'All expected vantage points see it.';
  return table('Vantage points that do not see it', columns, rows, none) + more(count - list.length);
}

function marks(list: readonly MarkAnswer[]): string {
  const rows = list.map(({ at, kind, vps }) => [timeHtml(at), MARK_WORDS[kind], String(vps)]);
  const columns = [{ name: 'Time (UTC)' }, { name: 'What' }, { name: 'VPs then', isNumber: true }];
  return table('What happened', columns, rows, 'Nothing yet.');
}

function changes({ changes: list, missed_changes: missed }: PrefixDetail): string {
  const rows = list.map(({ at, vp, before, after }: ChangeAnswer) => [
    timeHtml(at),
    `AS${vp.asn} <code>${escapeHtml(vp.ip)}</code>${nameHtml(vp.name)}`,
    path(before),
    path(after),
  ]);
  const columns = [{ name: 'Time (UTC)' }, { name: 'Vantage point' }, { name: 'Before' }, { name: 'After' }];
  const note = missed > 0 ? `<p class="dim">${missed} more came faster than they could be noted.</p>` : '';
  return table('Last changes of routes', columns, rows, 'None yet.') + note;
}

function path(text: string | null): string {
  if (text === null) return '<span class="dim">no route</span>';
  const shown = text.length > 160 ? `${text.slice(0, 160)} …` : text;
  return `<code>${escapeHtml(shown)}</code>`;
}

/** The charts without a script, and the boxes in which the script draws them. */
export function chartsHtml(detail: PrefixDetail): string {
  const { history } = detail;
  if (history === null) return '<p class="dim">No history of this prefix is kept: see history.max_prefixes.</p>';
  const figuresOf = chartsOf(history).map(
    (chart) =>
      `<figure><figcaption>${chart.title}</figcaption><div class="chart" id="${chart.id}">${timeChart(chart, detail.marks)}</div></figure>`,
  );
  return figuresOf.join('');
}

export function windowLinks(window: PastAnswer['window']): string {
  const links = WINDOWS.map(
    (each) =>
      `<a href="?window=${each}" data-window="${each}"${each === window ? ' aria-current="true"' : ''}>${WINDOW_WORDS[each]}</a>`,
  );
  return `<nav class="windows" aria-label="Time shown">${links.join('')}</nav>`;
}
