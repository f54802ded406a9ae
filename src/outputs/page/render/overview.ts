/** The overview: a row a prefix, worst first; for the server and the browser alike. */
import type { PrefixSummary, Status } from '../api-schemas.ts';
import { ageOf, asName, counted, escapeHtml, nameHtml, percent, short } from './html.ts';
import { meter, shareBar, sparkline } from './pictures.ts';
import { STATE_ORDER, STATES, type State, stateHtml } from './states.ts';

export interface Filter {
  readonly text: string;
  /** Empty: any. */
  readonly state: string;
  readonly group: string;
}

const MAX_SHOWN = 3;

export const OVERVIEW_COLUMNS = [
  ...(['State', 'Prefix', 'Visible VPs', 'Last 4 hours', 'Origins (VPs)', 'Upstreams (VPs)'] as const),
  ...(['Events a minute', 'More-specifics (VPs)'] as const),
];

/** Worst first; within a state the least visible first, then by name. */
export function compareRows(a: PrefixSummary, b: PrefixSummary): number {
  return (
    STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state) ||
    (a.visibility_ratio ?? 1) - (b.visibility_ratio ?? 1) ||
    (a.prefix < b.prefix ? -1 : Number(a.prefix !== b.prefix))
  );
}

/** Text is looked for in prefix, description, group, ASes and their names. */
export function matches(row: PrefixSummary, { text, state, group }: Filter): boolean {
  if (state !== '' && row.state !== state) return false;
  if (group !== '' && row.group !== group) return false;
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return true;
  const ases = [...row.origins, ...row.upstreams].map(({ as, name }) => `as${as} ${name ?? ''}`);
  return [row.prefix, row.description, row.group, ...ases].some((part) => part.toLowerCase().includes(wanted));
}

/** Rows of the table; `hidden` ones do not match the filter. */
export function rowHtml(row: PrefixSummary, isHidden: boolean): string {
  const cells = [
    stateHtml(row.state) + trustNote(row),
    prefixCell(row),
    visibilityCell(row),
    sparkline(row.spark, row.spark_step_seconds ?? 0),
    listHtml(row.origins.map(originHtml), row.origin_count),
    shareBar(row.upstreams, row.visible_vps) + listHtml(row.upstreams.map(upstreamHtml), row.upstream_count),
    row.events_per_minute === null ? '<span class="dim">not kept</span>' : short(row.events_per_minute),
    listHtml(
      row.more_specifics.map(({ prefix, vps }) => `<span class="bad"><code>${escapeHtml(prefix)}</code> ${vps}</span>`),
      row.more_specific_count,
    ),
  ];
  const tds = cells.map((cell, i) => `<td role="cell" data-name="${OVERVIEW_COLUMNS[i]}"><div>${cell}</div></td>`);
  return `<tr role="row" data-prefix="${escapeHtml(row.prefix)}" class="${STATES[row.state].tone}"${isHidden ? ' hidden' : ''}>${tds.join('')}</tr>`;
}

function trustNote({ trusted, state }: PrefixSummary): string {
  return trusted || state === 'incomplete' || state === 'old' ? '' : '<small>not complete</small>';
}

function prefixCell({ prefix, description, group, sources }: PrefixSummary): string {
  const about = [
    description,
    group,
    sources.length > 1 ? sources.map(({ source, vps }) => `${source} ${vps}`).join(', ') : '',
  ]
    .filter((text) => text !== '')
    .join(' · ');
  const small = about === '' ? '' : `<small>${escapeHtml(about)}</small>`;
  return `<a href="./prefix/${escapeHtml(prefix)}"><code>${escapeHtml(prefix)}</code></a>${small}`;
}

function visibilityCell({
  visible_vps: visible,
  expected_vps: expected,
  visibility_ratio: ratio,
}: PrefixSummary): string {
  if (ratio === null) return `<span class="dim">${visible} of ${expected}</span>`;
  return `<span class="figure">${percent(ratio)}</span> <span class="dim">${visible} of ${expected}</span>${meter(ratio)}`;
}

function originHtml({ as, name, vps, expected, validity }: PrefixSummary['origins'][number]): string {
  const judged =
    validity === null
      ? ''
      : ` <span class="chip ${validity === 'valid' ? 'good' : validity === 'not_found' ? 'idle' : 'bad'}">${VALIDITY_WORDS[validity]}</span>`;
  const text = `${asName(as)} <b>${vps}</b>`;
  return `${expected ? text : `<span class="bad">${text} unexpected</span>`}${judged}${nameHtml(name)}`;
}

export const VALIDITY_WORDS = {
  valid: 'valid',
  invalid_as: 'invalid: other AS',
  invalid_length: 'invalid: too long',
  not_found: 'no ROA',
} as const;

function upstreamHtml({ as, name, vps, expected }: PrefixSummary['upstreams'][number], i: number): string {
  const text = `<svg class="key s${Math.min(i, 4) + 1}" viewBox="0 0 8 8" aria-hidden="true"><rect width="8" height="8" rx="2"/></svg>${asName(as)} <b>${vps}</b>`;
  return (expected ? text : `<span class="warn">${text} unexpected</span>`) + nameHtml(name);
}

/** Lines, the first few of them. */
function listHtml(lines: readonly string[], count: number): string {
  if (count === 0) return '<span class="dim">none</span>';
  const rest = count - Math.min(lines.length, MAX_SHOWN);
  return (
    lines
      .slice(0, MAX_SHOWN)
      .map((each) => `<div>${each}</div>`)
      .join('') + (rest > 0 ? `<small>and ${rest} more</small>` : '')
  );
}

/** What stands in place of rows where none is shown. @param all how many there are without a filter */
export function noneText(all: number): string {
  return all === 0 ? 'This exporter has no prefixes now.' : 'No prefix matches the filter.';
}

/** How many prefixes are in each state; states without a prefix are left out, except `ok`. */
export function tallyHtml(rows: Iterable<PrefixSummary>): string {
  const counts = new Map<State, number>();
  let all = 0;
  for (const { state } of rows) {
    counts.set(state, (counts.get(state) ?? 0) + 1);
    all++;
  }
  const tiles = STATE_ORDER.filter((state) => (counts.get(state) ?? 0) > 0 || state === 'ok').map(
    (state) => `<li><b>${counts.get(state) ?? 0}</b>${stateHtml(state)}</li>`,
  );
  return `<ul class="tally">${tiles.join('')}<li><b>${all}</b><span class="dim">${all === 1 ? 'prefix' : 'prefixes'}</span></li></ul>`;
}

/** Streams, the table and validators, a line each. */
export function statusHtml(status: Status): string {
  const { now, streams, validators, notes, prefixes, trusted_prefixes: trusted } = status;
  const lines = [
    ...streams.map((stream) => line(stream.up ? 'good' : 'bad', streamText(stream, now))),
    line(trusted === prefixes ? 'good' : 'warn', tableText(status)),
    ...validators.map(({ source, up, usable, data_at: at }) =>
      line(
        usable ? 'good' : 'bad',
        `Validated data ${escapeHtml(source)}: ${usable ? 'usable' : 'not usable'}, ${at === null ? 'none read yet' : `made ${ageOf(at, now)} ago`}${up ? '' : ', the source does not answer'}`,
      ),
    ),
    ...notes.map((note) => `<li class="note">${escapeHtml(note.replaceAll('->', '→'))}</li>`),
  ];
  const reason =
    status.not_ready_reason === null ? '' : line('bad', `Not ready: ${escapeHtml(status.not_ready_reason)}`);
  return `<ul class="status">${reason}${lines.join('')}</ul>`;
}

function line(tone: 'good' | 'warn' | 'bad', text: string): string {
  const state = { good: 'ok', warn: 'degraded', bad: 'outage' } as const;
  return `<li class="${tone}"><svg viewBox="0 0 16 16" class="icon" aria-hidden="true">${STATES[state[tone]].shape}</svg><span>${text}</span></li>`;
}

function streamText(stream: Status['streams'][number], now: string): string {
  const { source, session, up, down_since: since, reason, subscribed_prefixes: count, last_update_at: last } = stream;
  const name = `Stream ${escapeHtml(source)}, session ${escapeHtml(session)}`;
  if (up)
    return `${name}: up, ${counted(count, 'prefix', 'prefixes')}, last message ${last === null ? 'none yet' : `${ageOf(last, now)} ago`}`;
  if (since === null) return `${name}: not connected yet`;
  return `${name}: down for ${ageOf(since, now)}${reason === null ? '' : `: ${escapeHtml(reason)}`}`;
}

function tableText({
  table,
  trusted_prefixes: trusted,
  prefixes,
  routes,
  restored_from: from,
  started_at: start,
  streams,
}: Status): string {
  const held = counted(routes, 'route', 'routes');
  const began = from === null ? '' : `; it began with a snapshot that was ${ageOf(from, start)} old at the start`;
  switch (table) {
    case 'off':
      return `Table: not seeded, by configuration; only vantage points that spoke since the start count; ${held}${began}`;
    case 'seeded':
      return `Table: ${trusted} of ${prefixes} prefixes complete, ${held}${began}`;
    case 'unseeded':
      if (streams.length > 0 && streams.every(({ up }) => !up))
        return `Table: ${trusted} of ${prefixes} prefixes complete, ${held} from before; it is read again when a stream is up${began}`;
      return `Table: being read, ${trusted} of ${prefixes} prefixes complete, ${held}; counts may be too low or too high until then${began}`;
  }
}
