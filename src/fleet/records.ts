/**
 * Records of the topic of events. Each begins with a head of 22 bytes, big endian: its kind (u8: 1 messages, 2 control), the
 * version of the layout (u8), the term of the ingest that wrote it (u32), its number in the partition and term (u64, from 1
 * on), and when the ingest wrote it, or received its messages (f64, Unix ms).
 *
 * A term is over when a higher one has begun: what an ingest writes that was frozen and does not know it yet is dropped. A
 * record that was written twice because its answer was lost has the same number twice.
 *
 * Messages: for each its length (u32) and its bytes, JSON as the bgproutes.io stream has it. Control: one JSON object.
 */
import { isAsPath } from '../bgp/as-path.ts';
import { parsePrefix } from '../bgp/prefix.ts';
import { parseSpeaker, type VantagePoint } from '../bgp/vantage-point.ts';
import { MAX_CLOCK_OFFSET_MS } from '../feed/clocks/service-clock.ts';
import { type AskedInside, type HistoryVp, type RibRow, type UpdateRow, VP_STATUSES } from '../stream/history.ts';

const KINDS = { messages: 1, control: 2 } as const;
export const RECORD_VERSION = 1;
const HEAD = 22;
/** Of one record; brokers take 1 MiB unless they are told otherwise. */
export const MAX_RECORD_BYTES = 900_000;
/** Of all records of a partition in one request: brokers take a batch of 1 MiB, as of a record. */
export const MAX_BATCH_BYTES = 1_000_000;

export interface RecordHead {
  readonly term: number;
  readonly sequence: number;
  /** Unix ms. */
  readonly atMs: number;
}

export type FleetRecord = RecordHead &
  (
    | { readonly kind: 'messages'; readonly messages: readonly Buffer[] }
    | { readonly kind: 'control'; readonly control: Control }
  );

/** A route that a VP held or announced, or a withdrawal. */
export interface CompactRow {
  readonly vp: VantagePoint;
  readonly prefix: string;
  readonly asPath: string;
}

/** What an ingest says beside the messages. Times are Unix ms by the ingest's clock, unless they are the service's. */
export type Control =
  /** A new term: nothing that was said before is complete up to now. */
  | { readonly type: 'start' }
  /** Each second, in every partition. `clockOffsetMs`: how far the service's clock is ahead. */
  | { readonly type: 'watermark'; readonly up: boolean; readonly clockOffsetMs: number }
  /** From now on something of these prefixes may be missing. */
  | { readonly type: 'gap'; readonly prefixes: readonly string[] }
  /** Nothing of these prefixes is missing any more. */
  | { readonly type: 'complete'; readonly prefixes: readonly string[] }
  | { readonly type: 'peer'; readonly vp: VantagePoint; readonly up: boolean; readonly timeUs: number }
  /** The list of VPs, whole: `part` of `parts`, from 0 on. */
  | { readonly type: 'vps'; readonly part: number; readonly parts: number; readonly vps: readonly HistoryVp[] }
  /**
   * What VPs held of the prefixes at `atMs` by the service's clock, in parts from 0 on; several readings may be under way
   * at a time. `inside`: more-specifics of the prefixes; where it is given, only those were asked for, and another one is not absent. With
   * the last part come the prefixes and `asked`: VPs whose absence says something. A reading that failed ends with a part that
   * names no prefix.
   */
  | {
      readonly type: 'rib';
      /** Which reading it is a part of: a number of its own within a term. */
      readonly reading: number;
      readonly part: number;
      readonly atMs: number;
      readonly prefixes: readonly string[];
      readonly rows: readonly CompactRow[];
      readonly inside: readonly AskedInside[];
      readonly last: boolean;
      readonly asked: readonly VantagePoint[];
    }
  /** What VPs said in a gap; the stream was heard from `heardFromMs` on. */
  | {
      readonly type: 'updates';
      readonly heardFromMs: number;
      readonly rows: readonly (CompactRow & { readonly kind: 'A' | 'W'; readonly timeUs: number })[];
    }
  /** Who held the prefixes one window ago; with the last part the window of the prefixes is known. */
  | {
      readonly type: 'holders';
      readonly prefixes: readonly string[];
      readonly rows: readonly CompactRow[];
      readonly last: boolean;
    };

export type ControlType = Control['type'];

function head(kind: number, { term, sequence, atMs }: RecordHead, rest: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD + rest);
  bytes[0] = kind;
  bytes[1] = RECORD_VERSION;
  bytes.writeUInt32BE(term, 2);
  bytes.writeBigUInt64BE(BigInt(sequence), 6);
  bytes.writeDoubleBE(atMs, 14);
  return bytes;
}

export function encodeMessages(of: RecordHead, messages: readonly Buffer[]): Buffer {
  let size = 0;
  for (const { length } of messages) size += 4 + length;
  const bytes = head(KINDS.messages, of, size);
  let at = HEAD;
  for (const message of messages) {
    at = bytes.writeUInt32BE(message.length, at);
    at += message.copy(bytes, at);
  }
  return bytes;
}

export function encodeControl(of: RecordHead, control: Control): Buffer {
  const text = Buffer.from(JSON.stringify(packed(control)));
  const bytes = head(KINDS.control, of, text.length);
  text.copy(bytes, HEAD);
  return bytes;
}

/** The same in two records; undefined: it cannot be divided. A part of a RIB is made of few rows by whoever reads it. */
export function divideControl(control: Control): readonly [Control, Control] | undefined {
  switch (control.type) {
    case 'gap':
    case 'complete': {
      const half = control.prefixes.length >> 1;
      if (half === 0) return undefined;
      return [
        { ...control, prefixes: control.prefixes.slice(0, half) },
        { ...control, prefixes: control.prefixes.slice(half) },
      ];
    }
    case 'updates': {
      const half = control.rows.length >> 1;
      if (half === 0) return undefined;
      return [
        { ...control, rows: control.rows.slice(0, half) },
        { ...control, rows: control.rows.slice(half) },
      ];
    }
    case 'holders': {
      const { rows, prefixes, last } = control;
      const half = rows.length >> 1;
      // The window of a prefix is known with the last part that names it.
      if (half > 0) {
        return [
          { ...control, rows: rows.slice(0, half), prefixes: [], last: false },
          { ...control, rows: rows.slice(half) },
        ];
      }
      if (prefixes.length < 2) return undefined;
      const middle = prefixes.length >> 1;
      return [
        { ...control, prefixes: prefixes.slice(0, middle), rows: [], last },
        { ...control, prefixes: prefixes.slice(middle) },
      ];
    }
    default:
      return undefined;
  }
}

/** Total: undefined for whatever nobody of this version writes. The messages share memory with the value. */
export function decodeRecord(value: Buffer): FleetRecord | undefined {
  if (value.length < HEAD || value[1] !== RECORD_VERSION) return undefined;
  const of = { term: value.readUInt32BE(2), sequence: Number(value.readBigUInt64BE(6)), atMs: value.readDoubleBE(14) };
  if (!(of.atMs >= 0 && of.atMs < 1e15) || !Number.isSafeInteger(of.sequence)) return undefined;
  switch (value[0]) {
    case KINDS.messages: {
      const messages = messagesIn(value);
      return messages && { ...of, kind: 'messages', messages };
    }
    case KINDS.control: {
      const control = readControl(value.toString('utf8', HEAD));
      return control && { ...of, kind: 'control', control };
    }
    default:
      return undefined;
  }
}

function messagesIn(value: Buffer): Buffer[] | undefined {
  const messages: Buffer[] = [];
  for (let at = HEAD; at < value.length; ) {
    if (at + 4 > value.length) return undefined;
    const end = at + 4 + value.readUInt32BE(at);
    if (end > value.length) return undefined;
    messages.push(value.subarray(at + 4, end));
    at = end;
  }
  return messages;
}

// --- control records: VPs and paths are written once a record, and named by their places ------------------------------------

type Packed = Readonly<Record<string, unknown>>;

function packed(control: Control): Packed {
  switch (control.type) {
    case 'peer':
      return { ...control, vp: packVp(control.vp) };
    case 'vps':
      return {
        ...control,
        vps: control.vps.map(({ id, vp, status, ribSizeV4, ribSizeV6, country, orgCountry, source }) => [
          ...[id, packVp(vp), status, ribSizeV4 ?? null, ribSizeV6 ?? null],
          ...[country ?? '', orgCountry ?? '', source ?? ''],
        ]),
      };
    case 'rib':
      return {
        ...{ ...control, ...packRows(control.rows), asked: control.asked.map(packVp) },
        inside: control.inside.map(({ of, prefixes }) => [of, prefixes]),
      };
    case 'updates': {
      const { of, rows } = packRows(control.rows);
      const words = rows.map((row, i) => [...row, control.rows[i].kind, control.rows[i].timeUs]);
      return { ...control, of, rows: words };
    }
    case 'holders':
      return { ...control, ...packRows(control.rows) };
    default:
      return { ...control };
  }
}

function packRows(rows: readonly CompactRow[]): { readonly of: Packed; readonly rows: unknown[][] } {
  const [vps, prefixes, paths] = [new Places(), new Places(), new Places()];
  const places = rows.map(({ vp, prefix, asPath }) => [vps.of(packVp(vp)), prefixes.of(prefix), paths.of(asPath)]);
  return { of: { vps: vps.texts, prefixes: prefixes.texts, paths: paths.texts }, rows: places };
}

/** Texts, each once. */
class Places {
  readonly #places = new Map<string, number>();

  of(text: string): number {
    let place = this.#places.get(text);
    if (place === undefined) this.#places.set(text, (place = this.#places.size));
    return place;
  }

  get texts(): string[] {
    return [...this.#places.keys()];
  }
}

/** `bgp ASN_IP`, or `bmp ASN_IP ASN_IP` with the router behind it: as `vantagePointKey`. */
function packVp({ protocol, asn, ip, parent }: VantagePoint): string {
  return `${protocol} ${asn}_${ip}${parent === undefined ? '' : ` ${parent.asn}_${parent.ip}`}`;
}

function unpackVp(text: unknown): VantagePoint {
  const [protocol, own, router, more] = textOf(text).split(' ');
  const speaker = parseSpeaker(own ?? '');
  const parent = router === undefined ? undefined : parseSpeaker(router);
  need(speaker !== undefined && more === undefined && (router === undefined) === (parent === undefined));
  need(protocol === 'bgp' || protocol === 'bmp');
  return { protocol, ...speaker, ...(parent && { parent }) };
}

function readControl(text: string): Control | undefined {
  try {
    const value: unknown = JSON.parse(text);
    need(isRecord(value));
    return unpacked(value);
  } catch {
    return undefined;
  }
}

/** Throws for whatever `packed` does not write. */
function unpacked(value: Packed): Control {
  const { type } = value;
  switch (type) {
    case 'start':
      return { type };
    case 'watermark':
      return { type, up: flagOf(value.up), clockOffsetMs: offsetOf(value.clockOffsetMs) };
    case 'gap':
    case 'complete':
      return { type, prefixes: prefixesOf(value.prefixes) };
    case 'peer':
      return { type, vp: unpackVp(value.vp), up: flagOf(value.up), timeUs: numberOf(value.timeUs) };
    case 'vps': {
      const [part, parts] = [numberOf(value.part), numberOf(value.parts)];
      need(Number.isInteger(part) && part >= 0 && part < parts && parts <= 1_000);
      return { type, part, parts, vps: listOf(value.vps).map(unpackListed) };
    }
    case 'rib':
      return {
        ...{ type, reading: numberOf(value.reading), part: numberOf(value.part), atMs: numberOf(value.atMs) },
        ...{ prefixes: prefixesOf(value.prefixes), last: flagOf(value.last) },
        ...{ rows: rowsOf(value).map(({ row }) => row), asked: listOf(value.asked).map(unpackVp) },
        inside: listOf(value.inside).map(unpackInside),
      };
    case 'updates':
      return {
        ...{ type, heardFromMs: numberOf(value.heardFromMs) },
        rows: rowsOf(value).map(({ row, rest: [kind, timeUs] }) => {
          need(kind === 'A' || kind === 'W');
          return { ...row, kind: kind as 'A' | 'W', timeUs: numberOf(timeUs) };
        }),
      };
    case 'holders':
      return {
        ...{ type, prefixes: prefixesOf(value.prefixes), last: flagOf(value.last) },
        rows: rowsOf(value).map(({ row }) => row),
      };
    default:
      throw new RangeError('an unknown type');
  }
}

function unpackInside(value: unknown): AskedInside {
  const [of, prefixes] = listOf(value);
  return { of: prefixesOf([of])[0], prefixes: prefixesOf(prefixes) };
}

function unpackListed(value: unknown): HistoryVp {
  const [id, vp, status, v4, v6, country, orgCountry, source] = listOf(value);
  need(VP_STATUSES.some((known) => known === status));
  return {
    ...{ id: textOf(id), vp: unpackVp(vp), status: status as HistoryVp['status'] },
    ...{ ribSizeV4: v4 === null ? undefined : numberOf(v4), ribSizeV6: v6 === null ? undefined : numberOf(v6) },
    ...{ country: textOf(country), orgCountry: textOf(orgCountry), source: textOf(source) },
  };
}

function rowsOf({ of, rows }: Packed): { readonly row: CompactRow; readonly rest: readonly unknown[] }[] {
  need(isRecord(of));
  const [vps, prefixes, paths] = [listOf(of.vps).map(unpackVp), prefixesOf(of.prefixes), listOf(of.paths)];
  need(paths.every((path) => typeof path === 'string' && (path === '' || isAsPath(path))));
  return listOf(rows).map((entry) => {
    const [vp, prefix, path, ...rest] = listOf(entry);
    const row = { vp: memberAt(vps, vp), prefix: memberAt(prefixes, prefix), asPath: memberAt(paths, path) as string };
    return { row, rest };
  });
}

/** A place that is not a whole number may name a property that every list has, such as its length. */
function memberAt<T>(list: readonly T[], place: unknown): T {
  need(Number.isInteger(place));
  const member = list[place as number];
  need(member !== undefined);
  return member as T;
}

function need(condition: boolean): asserts condition {
  if (!condition) throw new RangeError('a control record that makes no sense');
}

function isRecord(value: unknown): value is Packed {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly unknown[] {
  need(Array.isArray(value));
  return value as readonly unknown[];
}

function textOf(value: unknown): string {
  need(typeof value === 'string');
  return value;
}

function flagOf(value: unknown): boolean {
  need(typeof value === 'boolean');
  return value;
}

function numberOf(value: unknown): number {
  need(typeof value === 'number' && Number.isFinite(value));
  return value;
}

/** An ingest reads nothing by a clock that is further off. */
function offsetOf(value: unknown): number {
  const offsetMs = numberOf(value);
  need(Math.abs(offsetMs) <= MAX_CLOCK_OFFSET_MS);
  return offsetMs;
}

function prefixesOf(value: unknown): readonly string[] {
  const texts = listOf(value).map(textOf);
  need(texts.every((text) => parsePrefix(text)?.text === text));
  return texts;
}

/** What of a row of a history the table takes. */
export function compactRow({ vp, prefix, asPath }: RibRow | UpdateRow): CompactRow {
  return { vp, prefix, asPath };
}
