/** The history as lines of JSON, and back. A line is checked before anything of it is taken: it is data from outside. */
import { shortPath } from '../bgp/as-path.ts';
import { parseSpeaker, type VantagePoint } from '../bgp/vantage-point.ts';
import { MARK_KINDS, type Mark } from './marks.ts';
import { HISTORY_WINDOWS, MAX_MARKS, type PastChange, type PrefixHistory } from './prefix-history.ts';
import type { SampleRing } from './sample-ring.ts';
import type { TableHistory } from './table-history.ts';

/** Says what the file is. Its number changes with every change of the layout. */
export const HISTORY_FORMAT = 'bgproutes-history 1';
/** An AS path of an UPDATE (RFC 8654) is shorter as a text. Earlier versions wrote whole paths. */
const MAX_PATH_TEXT = 262_144;

export interface HistoryHead {
  readonly format: string;
  /** Unix ms. */
  readonly createdAtMs: number;
}

/** The first line, then one a prefix. @param aheadMs how far the clock of the file is ahead of the history's */
export function* encodeHistory(history: TableHistory, createdAtMs: number, aheadMs: number): Generator<string, void> {
  yield JSON.stringify({ format: HISTORY_FORMAT, createdAtMs: createdAtMs + aheadMs } satisfies HistoryHead);
  for (const [prefix, past] of history.entries()) {
    const { origins, upstreams } = past;
    const rings = HISTORY_WINDOWS.flatMap((window) => [past.counts[window], past.shares[window]]);
    yield JSON.stringify({
      ...{ prefix, origins: origins.map(orNull), upstreams: upstreams.map(orNull) },
      rings: rings.map((ring) => ring.toRecord(aheadMs)),
      marks: past.marks.map(({ atMs, kind, vps }) => [atMs + aheadMs, kind, vps]),
      changes: past.changes.map(({ atMs, vp, before, after }) => [
        ...[atMs + aheadMs, `${vp.asn}_${vp.ip}`, vp.protocol],
        ...[orNull(before), orNull(after)],
      ]),
    });
  }
}

/** Undefined when the text is not a history that can be read. */
export function readHead(line: string): HistoryHead | undefined {
  const head = parsed(line);
  if (head?.format !== HISTORY_FORMAT || typeof head.createdAtMs !== 'number') return undefined;
  return { format: HISTORY_FORMAT, createdAtMs: head.createdAtMs };
}

/** No prefix has a longer text. */
const MAX_PREFIX_TEXT = 49;

/**
 * Fills the history of a prefix that is still monitored; a line about any other prefix is ignored.
 * @param known prefixes of the lines before: none has two
 * @returns the prefix; undefined when the line makes no sense
 */
export function restoreLine(
  history: TableHistory,
  line: string,
  nowMs: number,
  known: ReadonlySet<string>,
): string | undefined {
  const record = parsed(line);
  const prefix = record?.prefix;
  if (record === undefined || typeof prefix !== 'string' || prefix.length > MAX_PREFIX_TEXT || known.has(prefix))
    return undefined;
  const past = history.of(prefix);
  return past === undefined || restorePast(past, record, nowMs) ? prefix : undefined;
}

/** Whether the record makes sense; otherwise nothing of it is taken. */
function restorePast(past: PrefixHistory, record: Readonly<Record<string, unknown>>, nowMs: number): boolean {
  const { origins, upstreams, rings, marks, changes } = record;
  if (!isKeys(origins, past.origins.length) || !isKeys(upstreams, past.upstreams.length)) return false;
  if (!Array.isArray(marks) || !Array.isArray(changes) || !Array.isArray(rings)) return false;
  const readMarks = marks.slice(-MAX_MARKS).map((mark) => markOf(mark, nowMs));
  const readChanges = changes.slice(-Math.max(1, past.maxChanges)).map((change) => changeOf(change, nowMs));
  if (readMarks.includes(undefined) || readChanges.includes(undefined)) return false;
  const targets = HISTORY_WINDOWS.flatMap((window) => [past.counts[window], past.shares[window]]);
  if (!targets.every((ring, i) => restoreRing(ring, rings[i], nowMs))) return false;
  for (const [i, as] of origins.entries()) past.origins[i] = as ?? undefined;
  for (const [i, as] of upstreams.entries()) past.upstreams[i] = as ?? undefined;
  past.resume(readMarks as Mark[]);
  if (past.maxChanges > 0) past.changes.unshift(...(readChanges as PastChange[]));
  return true;
}

function restoreRing(ring: SampleRing, record: unknown, nowMs: number): boolean {
  if (typeof record !== 'object' || record === null) return false;
  const { newest, values } = record as Record<string, unknown>;
  if (!Number.isInteger(newest) || typeof values !== 'string') return false;
  return ring.restore({ newest: newest as number, values }, nowMs);
}

function markOf(record: unknown, nowMs: number): Mark | undefined {
  if (!Array.isArray(record)) return undefined;
  const [atMs, kind, vps] = record as unknown[];
  const known = MARK_KINDS.find((each) => each === kind);
  if (!isTime(atMs) || known === undefined || !Number.isInteger(vps)) return undefined;
  return { atMs: Math.min(atMs, nowMs), kind: known, vps: vps as number };
}

function changeOf(record: unknown, nowMs: number): PastChange | undefined {
  if (!Array.isArray(record)) return undefined;
  const [atMs, vp, protocol, before, after] = record as unknown[];
  const speaker = typeof vp === 'string' ? parseSpeaker(vp) : undefined;
  if (!isTime(atMs) || speaker === undefined || (protocol !== 'bgp' && protocol !== 'bmp')) return undefined;
  if (!isPath(before) || !isPath(after)) return undefined;
  const known: VantagePoint = { ...speaker, protocol };
  const [shortBefore, shortAfter] = [before, after].map((path) => (path === null ? undefined : shortPath(path)));
  return { atMs: Math.min(atMs, nowMs), vp: known, before: shortBefore, after: shortAfter };
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** Paths that strangers announced consist of digits, blanks, braces and brackets; we never write anything else. */
function isPath(value: unknown): value is string | null {
  return (
    value === null ||
    (typeof value === 'string' && value.length <= MAX_PATH_TEXT && /^[0-9 ,{}()[\]]*(?: \.\.\.)?$/.test(value))
  );
}

function isKeys(value: unknown, length: number): value is (string | null)[] {
  return (
    Array.isArray(value) &&
    value.length === length &&
    value.every((each) => each === null || (typeof each === 'string' && /^[0-9{},]{1,2048}$/.test(each)))
  );
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function orNull<T>(value: T | undefined): T | null {
  return value ?? null;
}
