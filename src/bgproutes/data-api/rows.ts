/**
 * Reads the routes of an answer of the Data API, in parts, so that a large one does not hold the event loop. Total: rows
 * that cannot be read are counted.
 */
import { parseAsPath } from '../../bgp/as-path.ts';
import { containsPrefix, type Prefix, parsePrefix } from '../../bgp/prefix.ts';
import type { Protocol } from '../../bgp/vantage-point.ts';
import type { ListedVp, RibRow, UpdateRow } from '../../stream/history.ts';
import { byIdentity } from './batches.ts';
import { parseTimestampUs } from './time.ts';
import { DAMAGE, type PrefixMatch, ROWS_PER_BATCH, type RowBatch, type UnreadableReason } from './types.ts';
import { type Counts, isByProtocol, isObject, type JsonObject, noneUnreadable, PROTOCOLS } from './vantage-points.ts';

/** Prefixes and faults looked at between two batches, whether or not a row came of them. */
const WORK_PER_BATCH = 4 * ROWS_PER_BATCH;

/** Texts that are remembered as checked: more than an honest answer repeats. */
const MAX_REMEMBERED = 20_000;

/** What a request was about: rows of anything else are not taken. */
export interface Asked {
  readonly vps: readonly ListedVp[];
  readonly prefixes: readonly string[];
  readonly match: PrefixMatch;
  readonly communities: boolean;
}

/**
 * `data` of `/rib`: `{"bgp": {"VPID": {"PREFIX": [aspath, communities, aspa, rov, feed_type]}}, "bmp": {…}}`. A list of
 * such rows under one prefix is read too.
 */
export function decodeRib(data: unknown, asked: Asked): Generator<RowBatch<RibRow>> | undefined {
  return isByVp(data) ? decodeRows(data, asked, readRib, onePerPrefix) : undefined;
}

/**
 * `data` of `/updates`: `{"bgp": {"VPID": [[timestamp, "A"|"W", prefix, aspath, communities, aspa, rov, feed_type]…]},
 * "bmp": {…}}`.
 */
export function decodeUpdates(data: unknown, asked: Asked): Generator<RowBatch<UpdateRow>> | undefined {
  return isByVp(data) ? decodeRows(data, asked, readUpdates, inOrderOfTime) : undefined;
}

/** Under each protocol that is there an object, by VP. */
function isByVp(data: unknown): data is JsonObject {
  return (
    isByProtocol(data) &&
    PROTOCOLS.every((protocol) => (data[protocol] ?? undefined) === undefined || isObject(data[protocol]))
  );
}

/** A row, and the feed that it came by. */
interface FedRow<Row> {
  readonly row: Row;
  readonly feed: Feed;
}

/** The API's feed type (meaning unknown), and the place of the listing among those of the same VP. */
interface Feed {
  readonly type: string;
  readonly listing: number;
}

/** Reads what the answer has of one listed VP. */
type Reader<Row> = (value: unknown, listed: ListedVp, fields: Fields) => { type: string; row: Row }[];

function* decodeRows<Row extends RibRow>(
  data: JsonObject,
  asked: Asked,
  read: Reader<Row>,
  finish: (rows: readonly Row[], fields: Fields) => readonly Row[],
): Generator<RowBatch<Row>> {
  const fields = new Fields(asked);
  for (const protocol of PROTOCOLS) fields.countStrangers(data[protocol], protocol, asked.vps);
  let rows: Row[] = [];
  let unavailable: ListedVp[] = [];
  for (const listings of byIdentity(asked.vps)) {
    const found: FedRow<Row>[] = [];
    for (const [listing, listed] of listings.entries()) {
      const answer = data[listed.vp.protocol];
      if (!isObject(answer)) {
        unavailable.push(listed); // not a word about this protocol
        continue;
      }
      if (!Object.hasOwn(answer, listed.id)) continue; // no routes
      const value = answer[listed.id];
      const damageBefore = fields.damage;
      for (const { type, row } of read(value, listed, fields)) found.push({ row, feed: { type, listing } });
      const hasNoData = isObject(value) && typeof value.details === 'string';
      if (hasNoData || fields.damage > damageBefore) unavailable.push(listed);
    }
    // What is not taken costs time too.
    if (fields.workDone >= WORK_PER_BATCH) {
      yield { rows, unreadable: fields.takeCounts(), unavailable };
      [rows, unavailable] = [[], []];
    }
    for (const row of finish(ofOneFeed(found, fields), fields)) {
      rows.push(row);
      if (rows.length < ROWS_PER_BATCH) continue;
      yield { rows, unreadable: fields.takeCounts(), unavailable };
      [rows, unavailable] = [[], []];
    }
  }
  yield { rows, unreadable: fields.takeCounts(), unavailable };
}

/**
 * Of several feeds of one prefix (BMP: before and after policy; a VP that is listed twice) the lowest is taken, whatever
 * the order of the answer, so that RIB and updates speak of the same one.
 */
function ofOneFeed<Row extends RibRow>(found: readonly FedRow<Row>[], fields: Fields): Row[] {
  // Nearly always there is only one.
  if (found.every(({ feed }) => compareFeeds(feed, found[0].feed) === 0)) return found.map(({ row }) => row);
  const taken = new Map<string, Feed>();
  for (const { row, feed } of found) {
    const former = taken.get(row.prefix);
    if (former === undefined || compareFeeds(feed, former) < 0) taken.set(row.prefix, feed);
  }
  const rows: Row[] = [];
  for (const { row, feed } of found) {
    if (compareFeeds(feed, taken.get(row.prefix) as Feed) === 0) rows.push(row);
    else fields.count('duplicate');
  }
  return rows;
}

function compareFeeds(a: Feed, b: Feed): number {
  if (a.type === b.type) return a.listing - b.listing;
  const [numberA, numberB] = [Number(a.type), Number(b.type)];
  if (numberA !== numberB && !Number.isNaN(numberA) && !Number.isNaN(numberB)) return numberA - numberB;
  return a.type < b.type ? -1 : 1;
}

/** A prefix that is there twice, spelt differently: the first counts. */
function onePerPrefix(rows: readonly RibRow[], fields: Fields): readonly RibRow[] {
  const byPrefix = new Map<string, RibRow>();
  for (const row of rows) {
    if (byPrefix.has(row.prefix)) fields.count('duplicate');
    else byPrefix.set(row.prefix, row);
  }
  return [...byPrefix.values()];
}

/** The sort is stable: updates of the same time stay in the order of the answer. */
function inOrderOfTime(rows: readonly UpdateRow[]): readonly UpdateRow[] {
  return [...rows].sort((a, b) => a.timeUs - b.timeUs);
}

function readRib(value: unknown, { vp }: ListedVp, fields: Fields): { type: string; row: RibRow }[] {
  const found: { type: string; row: RibRow }[] = [];
  if (!isObject(value)) {
    fields.count('shape');
    return found;
  }
  for (const [prefixText, entry] of Object.entries(value)) {
    if (prefixText === 'details' && typeof entry === 'string') continue;
    const prefix = fields.prefix(prefixText);
    if (prefix === undefined) continue;
    const rows: readonly unknown[] = Array.isArray(entry) && Array.isArray(entry[0]) ? entry : [entry];
    for (const row of rows) {
      if (!Array.isArray(row)) {
        fields.count('shape');
        continue;
      }
      const asPath = fields.asPath(row[0]);
      if (asPath === undefined) continue;
      found.push({ type: feedType(row[4]), row: { vp, prefix, asPath, communities: fields.communities(row[1]) } });
    }
  }
  return found;
}

function readUpdates(value: unknown, { vp }: ListedVp, fields: Fields): { type: string; row: UpdateRow }[] {
  const found: { type: string; row: UpdateRow }[] = [];
  if (!Array.isArray(value)) {
    if (!isObject(value) || typeof value.details !== 'string') fields.count('shape');
    return found;
  }
  for (const row of value as readonly unknown[]) {
    if (!Array.isArray(row)) {
      fields.count('shape');
      continue;
    }
    const kind = row[1] === 'A' || row[1] === 'W' ? row[1] : undefined;
    if (kind === undefined) {
      fields.count('kind');
      continue;
    }
    const prefix = fields.prefix(row[2]);
    if (prefix === undefined) continue;
    const timeUs = parseTimestampUs(row[0]);
    if (timeUs === undefined) {
      fields.count('timestamp');
      continue;
    }
    const asPath = kind === 'W' ? '' : fields.asPath(row[3]);
    if (asPath === undefined) continue;
    const communities = kind === 'W' ? '' : fields.communities(row[4]);
    found.push({ type: feedType(row[7]), row: { vp, prefix, timeUs, kind, asPath, communities } });
  }
  return found;
}

/** A number or a word; whatever else it is says nothing. */
function feedType(value: unknown): string {
  return typeof value === 'number' || typeof value === 'string' ? String(value) : '';
}

/** Reads single values, counting what cannot be read. Texts repeat thousands of times in an answer and are checked once. */
class Fields {
  readonly #asked: Asked;
  readonly #outer: readonly Prefix[];
  readonly #exact: ReadonlySet<string>;
  readonly #prefixes = new Map<string, string>();
  readonly #paths = new Map<string, boolean>();
  #counts: Counts = noneUnreadable();
  #work = 0;
  /** How much could not be read so far, rather than was too much. */
  damage = 0;

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#outer = asked.prefixes.flatMap((text) => parsePrefix(text) ?? []);
    this.#exact = new Set(this.#outer.map((prefix) => prefix.text));
  }

  /** How much was looked at since the last batch. */
  get workDone(): number {
    return this.#work;
  }

  count(reason: UnreadableReason, times = 1): void {
    this.#work += times;
    this.#counts[reason] += times;
    if (DAMAGE.has(reason)) this.damage += times;
  }

  takeCounts(): Counts {
    const counts = this.#counts;
    this.#counts = noneUnreadable();
    this.#work = 0;
    return counts;
  }

  /** What an answer has under VPs that were not asked. */
  countStrangers(answer: unknown, protocol: Protocol, vps: readonly ListedVp[]): void {
    if (!isObject(answer)) return;
    const ids = new Set(vps.filter(({ vp }) => vp.protocol === protocol).map(({ id }) => id));
    for (const id of Object.keys(answer)) if (!ids.has(id)) this.count('unasked');
  }

  /** Canonical text of a prefix that was asked for. */
  prefix(value: unknown): string | undefined {
    if (typeof value !== 'string') {
      this.count('prefix');
      return undefined;
    }
    let known = this.#prefixes.get(value);
    if (known === undefined) {
      known = this.#judgePrefix(value);
      if (this.#prefixes.size < MAX_REMEMBERED) this.#prefixes.set(value, known);
    }
    this.#work++;
    if (known !== 'prefix' && known !== 'unasked') return known;
    this.count(known);
    return undefined;
  }

  /** Canonical text, which holds a slash, or the reason why not. */
  #judgePrefix(value: string): string {
    const prefix = parsePrefix(value);
    if (prefix === undefined) return 'prefix';
    const isAsked =
      this.#asked.match === 'exact'
        ? this.#exact.has(prefix.text)
        : this.#outer.some((outer) => prefix.length > outer.length && containsPrefix(outer, prefix));
    return isAsked ? prefix.text : 'unasked';
  }

  asPath(value: unknown): string | undefined {
    if (typeof value === 'string') {
      let valid = this.#paths.get(value);
      if (valid === undefined) {
        valid = parseAsPath(value) !== undefined;
        if (this.#paths.size < MAX_REMEMBERED) this.#paths.set(value, valid);
      }
      if (valid) return value;
    }
    this.count('as_path');
    return undefined;
  }

  /** Text, or a list of texts; a row is worth having without them. */
  communities(value: unknown): string {
    if (!this.#asked.communities || value === null || value === undefined) return '';
    if (typeof value === 'string') return value;
    if (Array.isArray(value) && value.every((part) => typeof part === 'string')) return value.join(' ');
    this.count('communities');
    return '';
  }
}
