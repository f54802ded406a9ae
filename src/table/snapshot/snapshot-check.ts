/**
 * Checks a snapshot before anything is taken from it. A file is data from outside: its checksum says that it is as somebody
 * wrote it, not that it was us. So shapes, counts, sizes and numbers are looked at too, without taking much more memory
 * than the file itself.
 */
import { crc32 } from 'node:zlib';
import { parsePrefix } from '../../bgp/prefix.ts';
import { parseSpeaker, type Speaker, vantagePointKey } from '../../bgp/vantage-point.ts';
import { MAX_SOURCES } from '../ownership/ownership.ts';
import { LOSS_REASONS } from '../prefixes/prefix-state.ts';
import {
  BYTES_PER_CELL,
  HEAD,
  MAGIC,
  MAX_JSON_BYTES,
  SECTION,
  SECTION_HEAD,
  type Section,
  SNAPSHOT_VERSION,
  type SnapshotMeta,
  type SourceRecord,
  sectionsOf,
} from './snapshot-format.ts';

export type SnapshotFault = 'truncated' | 'version' | 'foreign' | 'corrupt';
export type SnapshotCheck =
  | { readonly ok: true; readonly meta: SnapshotMeta; readonly bytes: Buffer }
  | { readonly ok: false; readonly reason: SnapshotFault };

/** The longest path that an UPDATE can carry (RFC 8654) is shorter than that as a text. */
const MAX_PATH_TEXT = 262_144;
/** Ends with an AS or an AS_SET; other paths are empty, or end with a confederation. */
const GIVES_ORIGIN = /[0-9}]$/;
/** Most prefixes, monitored ones and more-specifics: far more than the largest table has. */
const MAX_PREFIXES = 1_000_000;
/** Monitored prefixes around a more-specific: as many as there are lengths. */
const MAX_LISTED_BY = 128;
/** Deepest nesting of the JSON that we write; deeper JSON is not ours. */
const MAX_DEPTH = 4;
/** Each array or object that we write comes to at least so many bytes of JSON. */
const BYTES_PER_CONTAINER = 8;
/** Containers of a section that holds hardly anything else. */
const MIN_CONTAINERS = 8;

/** Never throws, whatever the bytes are. Takes at most the memory of one section beside them. */
export function checkSnapshot(bytes: Buffer): SnapshotCheck {
  const reason = frameFault(bytes);
  if (reason !== undefined) return { ok: false, reason };
  try {
    return { ok: true, meta: new Contents().check(sectionsOf(bytes)), bytes };
  } catch {
    return { ok: false, reason: 'corrupt' };
  }
}

/** What is wrong with the bytes as a whole. */
function frameFault(bytes: Buffer): SnapshotFault | undefined {
  const shared = Math.min(bytes.length, MAGIC.length);
  if (bytes.length === 0) return 'truncated';
  if (bytes.compare(MAGIC, 0, shared, 0, shared) !== 0) return 'foreign';
  if (bytes.length < HEAD) return 'truncated';
  if (bytes.readUInt32LE(MAGIC.length) !== SNAPSHOT_VERSION) return 'version';
  for (let at = HEAD; ; ) {
    if (at + SECTION_HEAD > bytes.length) return 'truncated';
    const kind = bytes.readUInt32LE(at);
    const length = bytes.readUInt32LE(at + 4);
    const end = at + SECTION_HEAD + length;
    if (end > bytes.length) return 'truncated';
    if (kind === SECTION.END) {
      const whole = end === bytes.length && length === 4;
      return whole && bytes.readUInt32LE(at + SECTION_HEAD) === crc32(bytes.subarray(0, at)) ? undefined : 'corrupt';
    }
    at = end;
  }
}

/** Checks that the sections of a file fit together. All methods throw a RangeError for what makes no sense. */
class Contents {
  readonly #vps = new Set<string>();
  /** By VP: the number of the last prefix that had a cell of it. */
  #lastPrefix = new Uint32Array(0);
  readonly #asns: number[] = [];
  /** By path: the AS that its VP must have, because the path has no origin of its own; -1: any. */
  readonly #owns: number[] = [-1];
  readonly #prefixes = new Set<string>();
  #noVps = false;
  #routes = 0;

  check(sections: Iterable<Section>): SnapshotMeta {
    let meta: SnapshotMeta | undefined;
    for (const { kind, payload } of sections) {
      if (meta === undefined) {
        expect(kind === SECTION.META);
        meta = checkedMeta(parseBounded(payload));
      } else if (kind === SECTION.VPS) this.#checkVps(payload);
      else if (kind === SECTION.PATHS) this.#checkPaths(payload);
      else if (kind === SECTION.PREFIX) this.#checkPrefix(payload, meta.exact === true);
      else expect(false);
    }
    // A path was written because a route of a prefix behind it has it.
    expect(meta !== undefined && this.#owns.length - 1 <= this.#routes);
    return meta as SnapshotMeta;
  }

  #checkVps(payload: Buffer): void {
    const records = parseBounded(payload);
    // An earlier version wrote an empty list for a table without VPs. Many empty lists are not from us.
    expect(this.#prefixes.size === 0 && Array.isArray(records) && (records.length > 0 || this.#vps.size === 0));
    expect(!this.#noVps);
    this.#noVps = (records as unknown[]).length === 0;
    for (const record of records as unknown[]) {
      expect(isRecord(record) && Number.isFinite(record.heardMs) && isRecord(record.vp));
      const { by } = record as { by?: unknown };
      expect(by === undefined || (Number.isInteger(by) && (by as number) >= 0 && (by as number) < 1 << MAX_SOURCES));
      const { protocol, asn, ip, parent } = (record as { vp: Record<string, unknown> }).vp;
      expect((protocol === 'bgp' || protocol === 'bmp') && isSpeaker(asn, ip));
      expect(parent === undefined || (isRecord(parent) && isSpeaker(parent.asn, parent.ip)));
      const key = vantagePointKey({
        protocol: protocol as 'bgp',
        asn: asn as number,
        ip: ip as string,
        ...parentOf(parent),
      });
      expect(!this.#vps.has(key));
      this.#vps.add(key);
      this.#asns.push(asn as number);
    }
  }

  #checkPaths(payload: Buffer): void {
    const records = parseBounded(payload);
    expect(Array.isArray(records) && records.length > 0);
    for (const record of records as unknown[]) {
      expect(Array.isArray(record) && record.length === 2);
      const [text, own] = record as unknown[];
      expect(typeof text === 'string' && text.length <= MAX_PATH_TEXT);
      expect(GIVES_ORIGIN.test(text as string) ? own === null : isAsn(own));
      this.#owns.push((own as number | null) ?? -1);
    }
  }

  #checkPrefix(payload: Buffer, isExact: boolean): void {
    if (this.#prefixes.size === 0) this.#lastPrefix = new Uint32Array(this.#vps.size);
    const headLength = payload.readUInt32LE(0);
    expect(headLength <= payload.length - 8);
    const prefix = checkedHead(parseBounded(payload.subarray(4, 4 + headLength)));
    expect(!this.#prefixes.has(prefix) && this.#prefixes.size < MAX_PREFIXES);
    this.#prefixes.add(prefix);
    const number = this.#prefixes.size;
    const countAt = 4 + headLength;
    const count = payload.readUInt32LE(countAt);
    expect(count <= this.#vps.size && countAt + 4 + count * BYTES_PER_CELL === payload.length);
    const pathsAt = countAt + 4 + count * 4;
    const timesAt = pathsAt + count * 8;
    for (let i = 0; i < count; i++) {
      const vp = payload.readUInt32LE(countAt + 4 + i * 4);
      expect(vp < this.#vps.size && this.#lastPrefix[vp] !== number);
      this.#lastPrefix[vp] = number;
      const path = payload.readUInt32LE(pathsAt + i * 4);
      const time = payload.readDoubleLE(timesAt + i * 8);
      expect(path < this.#owns.length && isAmount(isExact ? Math.abs(time) : time));
      expect(this.#owns[path] === -1 || this.#owns[path] === this.#asns[vp]);
      if (path !== 0) this.#routes++;
    }
  }
}

function checkedMeta(value: unknown): SnapshotMeta {
  expect(isRecord(value) && isAmount(value.createdAtMs) && isRecord(value.completeUntil));
  const { createdAtMs, completeUntil, sources, final, exact } = value as unknown as SnapshotMeta;
  expect(final === undefined || typeof final === 'boolean');
  expect(exact === undefined || typeof exact === 'boolean');
  const until = checkedUntil(completeUntil, createdAtMs);
  if (sources === undefined) return { createdAtMs, completeUntil: until, final, exact };
  expect(Array.isArray(sources) && sources.length > 0 && sources.length <= MAX_SOURCES);
  const checked = sources.map(({ name, completeUntil: of }: SourceRecord) => {
    expect(typeof name === 'string' && isRecord(of));
    return { name, completeUntil: checkedUntil(of, createdAtMs) };
  });
  return { createdAtMs, completeUntil: until, sources: checked, final, exact };
}

function checkedUntil(value: Readonly<Record<string, number>>, createdAtMs: number): Record<string, number> {
  const until: [string, number][] = Object.entries(value).map(([prefix, untilMs]) => {
    expect(isPrefix(prefix) && isAmount(untilMs)); // a name such as `__proto__` is not a prefix
    return [prefix, Math.min(untilMs, createdAtMs)];
  });
  return Object.fromEntries(until);
}

/** Gives the prefix. */
function checkedHead(head: unknown): string {
  expect(isRecord(head) && isPrefix(head.prefix));
  const { prefix, listedBy, window, counters } = head as Record<string, unknown> & { prefix: string };
  expect(
    listedBy === undefined || (Array.isArray(listedBy) && listedBy.length <= MAX_LISTED_BY && listedBy.every(isPrefix)),
  );
  if (window !== undefined) {
    expect(isRecord(window) && Number.isFinite(window.watchedSinceMs) && isAmount(window.stoodStillMs));
  }
  if (counters === undefined) return prefix;
  expect(isRecord(counters) && isRecord(counters.losses) && Array.isArray(counters.announcedLengths));
  const { losses, announcedLengths, ...amounts } = counters as Record<string, unknown>;
  expect(Number.isFinite(amounts.sinceMs));
  for (const name of COUNTERS) expect(isAmount(amounts[name]));
  for (const reason of LOSS_REASONS) expect(isAmount((losses as Record<string, unknown>)[reason] ?? 0));
  expect((announcedLengths as unknown[]).every(isAmount));
  return prefix;
}

/** Numbers of a prefix that are a count or a time of the service; `sinceMs` is by our own clock, which may show anything. */
export const COUNTERS = [
  ...(['announcements', 'withdrawals', 'pathChanges', 'originChanges', 'repeats', 'gains'] as const),
  ...(['announcedLengthSum', 'lastAnnouncementUs', 'lastWithdrawalUs'] as const),
];

/** JSON that does not come to much more memory than its text: not long, not deep, and not all brackets. */
function parseBounded(payload: Buffer): unknown {
  expect(payload.length <= MAX_JSON_BYTES);
  const most = MIN_CONTAINERS + payload.length / BYTES_PER_CONTAINER;
  let containers = 0;
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < payload.length; i++) {
    const byte = payload[i];
    if (byte === 0x22) quoted = !quoted;
    else if (byte === 0x5c) i++;
    else if (quoted) continue;
    else if (byte === 0x5b || byte === 0x7b) expect(++containers <= most && ++depth <= MAX_DEPTH);
    else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return JSON.parse(payload.toString('utf8'));
}

function expect(condition: boolean): void {
  if (!condition) throw new RangeError('a snapshot that makes no sense');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A count, or a time: finite and not negative. */
function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
}

function isAsn(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}

function isPrefix(value: unknown): boolean {
  return typeof value === 'string' && parsePrefix(value)?.text === value;
}

function isSpeaker(asn: unknown, ip: unknown): boolean {
  return isAsn(asn) && typeof ip === 'string' && parseSpeaker(`${asn}_${ip}`)?.ip === ip;
}

function parentOf(parent: unknown): { parent?: Speaker } {
  return parent === undefined ? {} : { parent: parent as Speaker };
}
