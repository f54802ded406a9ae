/**
 * Reads the routes of an answer of the Data API: row by row while it arrives, so that nothing is kept of rows that cannot be
 * taken, then in parts, so that a large one does not hold the event loop. Total: rows that cannot be read are counted.
 */
import { PROTOCOLS } from '../../../bgp/vantage-point.ts';
import type { JsonPart, JsonParts } from '../../../http/json-reader.ts';
import type { ListedVp, RibRow, UpdateRow } from '../../../stream/history.ts';
import { byIdentity } from '../batches.ts';
import { parseTimestampUs } from '../time.ts';
import { ROWS_PER_BATCH, type RowBatch } from '../types.ts';
import { type Asked, RouteFields } from './route-fields.ts';
import { type Counts, isByProtocol, isObject, type JsonObject } from './vantage-points.ts';

/** Prefixes and faults looked at between two batches, whether or not a row came of them. */
const WORK_PER_BATCH = 4 * ROWS_PER_BATCH;

/** The longest AS path that BGP can carry has 180 KB in words. */
const MAX_ROW_BYTES = 256 * 1024;
/** A row has 9 values; a piece of many rows some thousands. */
const MAX_PIECE_VALUES = 100_000;
/** Names of VPs: some 30 KB for 2,000. */
const MAX_AROUND_BYTES = 512 * 1024;

/** A row without its VP, and the API's feed type (meaning unknown). */
interface TypedRow<Row> {
  readonly type: string;
  readonly row: Omit<Row, 'vp'>;
}

/** How rows of one kind of answer are read. */
interface RowKind<Row extends RibRow> {
  /** Whether the rows of a VP are a list; otherwise an object by prefix. */
  readonly isList: boolean;
  /** Reads a member of what the answer has of a VP; what cannot be read is counted. */
  readonly read: (key: string | undefined, member: unknown, fields: RouteFields, to: TypedRow<Row>[]) => void;
  /** What is done with the rows of one VP at last. */
  readonly finish: (rows: readonly Row[], fields: RouteFields) => readonly Row[];
}

/** Reads one answer. The JSON reader gives it what stands under the VPs; then `decode` reads the rest. */
export class RouteAnswer<Row extends RibRow> implements JsonParts {
  /** `{"data": {"bgp": {"VPID": {…}}}}` */
  readonly depth = 4;
  readonly memberBytes = MAX_ROW_BYTES;
  readonly memberValues = MAX_PIECE_VALUES;
  readonly aroundBytes = MAX_AROUND_BYTES;
  readonly #kind: RowKind<Row>;
  readonly #asked: Asked;
  readonly #fields: RouteFields;

  constructor(kind: RowKind<Row>, asked: Asked) {
    this.#kind = kind;
    this.#asked = asked;
    this.#fields = new RouteFields(asked);
  }

  begin(isList: boolean): VpPart<Row> {
    return new VpPart(this.#kind, this.#fields, isList);
  }

  /** @param data of the envelope. Undefined when it is not built as documented */
  decode(data: unknown): Generator<RowBatch<Row>> | undefined {
    return isByVp(data) ? this.#batches(data) : undefined;
  }

  *#batches(data: JsonObject): Generator<RowBatch<Row>> {
    const fields = this.#fields;
    for (const protocol of PROTOCOLS) fields.countStrangers(data[protocol], protocol, this.#asked.vps);
    let rows: Row[] = [];
    let unavailable: ListedVp[] = [];
    for (const listings of byIdentity(this.#asked.vps)) {
      const found: FedRow<Row>[] = [];
      for (const [listing, listed] of listings.entries()) {
        const answer = data[listed.vp.protocol];
        if (!isObject(answer)) {
          unavailable.push(listed); // the answer says nothing about this protocol
          continue;
        }
        if (!Object.hasOwn(answer, listed.id)) continue; // no routes
        const part = this.#partOf(answer[listed.id]);
        fields.add(part.counts);
        for (const { type, row } of part.rows)
          found.push({ row: { vp: listed.vp, ...row } as Row, feed: { type, listing } });
        if (part.isIncomplete) unavailable.push(listed);
      }
      fields.work += found.length;
      // What is not taken costs time too.
      if (fields.work >= WORK_PER_BATCH) {
        yield { rows, unreadable: fields.takeCounts(), unavailable };
        [rows, unavailable] = [[], []];
      }
      for (const row of this.#kind.finish(ofOneFeed(found, fields), fields)) {
        rows.push(row);
        if (rows.length < ROWS_PER_BATCH) continue;
        yield { rows, unreadable: fields.takeCounts(), unavailable };
        [rows, unavailable] = [[], []];
      }
    }
    yield { rows, unreadable: fields.takeCounts(), unavailable };
  }

  /** What stands under a VP: read already, or a value that is not a list or an object. */
  #partOf(value: unknown): VpPart<Row> {
    if (value instanceof VpPart) return value as VpPart<Row>;
    const part = this.begin(Array.isArray(value));
    if (Array.isArray(value)) for (const member of value as readonly unknown[]) part.add(undefined, member);
    else if (isObject(value)) for (const [key, member] of Object.entries(value)) part.add(key, member);
    else part.refuse();
    return part.end();
  }
}

/** What an answer has of one VP. */
class VpPart<Row extends RibRow> implements JsonPart {
  readonly rows: TypedRow<Row>[] = [];
  /** What could not be read; undefined: nothing. */
  counts: Readonly<Counts> | undefined;
  /** The API said that it has no data, or something could not be read. */
  isIncomplete = false;
  readonly #kind: RowKind<Row>;
  readonly #fields: RouteFields;
  readonly #isList: boolean;
  #hasDetails = false;

  constructor(kind: RowKind<Row>, fields: RouteFields, isList: boolean) {
    this.#kind = kind;
    this.#fields = fields;
    this.#isList = isList;
  }

  add(key: string | undefined, member: unknown): void {
    if (key === 'details' && typeof member === 'string') this.#hasDetails = true;
    else if (this.#isList === this.#kind.isList) this.#kind.read(key, member, this.#fields, this.rows);
  }

  end(): this {
    const isOther = this.#isList !== this.#kind.isList;
    if (isOther && !(this.#hasDetails && this.#kind.isList)) this.refuse();
    const { counts, hasDamage } = this.#fields.takeApart();
    this.counts = counts;
    this.isIncomplete = this.#hasDetails || hasDamage;
    return this;
  }

  /** It is not built as documented. */
  refuse(): void {
    this.#fields.count('shape');
  }
}

const RIB: RowKind<RibRow> = { isList: false, read: readRib, finish: onePerPrefix };
const UPDATES: RowKind<UpdateRow> = { isList: true, read: readUpdate, finish: inOrderOfTime };

/**
 * Reads `data` of `/rib`: `{"bgp": {"VPID": {"PREFIX": [aspath, communities, aspa, rov, feed_type]}}, "bmp": {…}}`. A list of
 * such rows under one prefix is read too.
 */
export const ribAnswer = (asked: Asked): RouteAnswer<RibRow> => new RouteAnswer(RIB, asked);

/**
 * Reads `data` of `/updates`: `{"bgp": {"VPID": [[timestamp, "A"|"W", prefix, aspath, communities, aspa, rov, feed_type]…]},
 * "bmp": {…}}`.
 */
export const updatesAnswer = (asked: Asked): RouteAnswer<UpdateRow> => new RouteAnswer(UPDATES, asked);

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

/**
 * Of several feeds of one prefix (BMP: before and after policy; a VP that is listed twice) the lowest is taken, whatever
 * the order of the answer, so that RIB and updates speak of the same one.
 */
function ofOneFeed<Row extends RibRow>(found: readonly FedRow<Row>[], fields: RouteFields): Row[] {
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
function onePerPrefix(rows: readonly RibRow[], fields: RouteFields): readonly RibRow[] {
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

function readRib(key = '', entry: unknown, fields: RouteFields, to: TypedRow<RibRow>[]): void {
  const prefix = fields.prefix(key);
  if (prefix === undefined) return;
  const rows: readonly unknown[] = Array.isArray(entry) && Array.isArray(entry[0]) ? entry : [entry];
  for (const row of rows) {
    if (!Array.isArray(row)) {
      fields.count('shape');
      continue;
    }
    const asPath = fields.asPath(row[0]);
    if (asPath === undefined) continue;
    to.push({ type: feedType(row[4]), row: { prefix, asPath, communities: fields.communities(row[1]) } });
  }
}

function readUpdate(_: string | undefined, row: unknown, fields: RouteFields, to: TypedRow<UpdateRow>[]): void {
  if (!Array.isArray(row)) {
    fields.count('shape');
    return;
  }
  const kind = row[1] === 'A' || row[1] === 'W' ? row[1] : undefined;
  if (kind === undefined) {
    fields.count('kind');
    return;
  }
  const prefix = fields.prefix(row[2]);
  if (prefix === undefined) return;
  const timeUs = parseTimestampUs(row[0]);
  if (timeUs === undefined) {
    fields.count('timestamp');
    return;
  }
  const asPath = kind === 'W' ? '' : fields.asPath(row[3]);
  if (asPath === undefined) return;
  const communities = kind === 'W' ? '' : fields.communities(row[4]);
  to.push({ type: feedType(row[7]), row: { prefix, timeUs, kind, asPath, communities } });
}

/** A number or a word; whatever else it is says nothing. */
function feedType(value: unknown): string {
  return typeof value === 'number' || typeof value === 'string' ? String(value) : '';
}
