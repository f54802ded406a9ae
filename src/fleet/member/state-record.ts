/**
 * Records of the topic of state. The key is a monitored prefix, and the value its routes, counters, and those of its
 * more-specifics, as a snapshot has them, with the offset of the first event that is not in them. The key MARK says for the
 * whole partition from where on events are to be read: what was not written since then has not changed until there.
 *
 * Value of a prefix: version (u8), offset (u64, big endian), then the snapshot, compressed (RFC 1951). Of MARK: JSON.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { parsePrefix } from '../../bgp/prefix.ts';
import type { MonitoredPrefix, PrefixState } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import { addSnapshot, checkSnapshot, encodePart } from '../../table/snapshot/snapshot.ts';

export const STATE_VERSION = 1;
const HEAD = 9;
/** What a value may come to; one of 20,000 VPs and 10,000 more-specifics stays below. */
const MAX_INFLATED = 256 * 1024 * 1024;
export const MARK = '*';

/** A place in the partition: all records before the offset are applied. */
export interface Position {
  readonly offset: number;
  readonly term: number;
  readonly sequence: number;
}

export interface Mark extends Position {
  /** When it was written, Unix ms. */
  readonly atMs: number;
  /** The monitored prefixes of which nothing is missing. */
  readonly complete: readonly string[];
  /** Those of which events were missed by an exporter, so that a RIB must be read. */
  readonly unread: readonly string[];
  /** The topic of the offsets, as brokers number topics; undefined: not known. */
  readonly topicId?: string | undefined;
}

export function encodeMark(mark: Mark): Buffer {
  return Buffer.from(JSON.stringify({ v: STATE_VERSION, ...mark }));
}

/** Total: undefined for whatever nobody of this version writes. */
export function decodeMark(value: Buffer): Mark | undefined {
  try {
    const { v, offset, term, sequence, atMs, complete, unread, topicId } = JSON.parse(value.toString('utf8')) as Record<
      string,
      unknown
    >;
    const isNumber = (one: unknown): one is number => typeof one === 'number' && Number.isSafeInteger(one) && one >= 0;
    if (v !== STATE_VERSION || !isNumber(offset) || !isNumber(term) || !isNumber(sequence)) return undefined;
    if (typeof atMs !== 'number' || !Number.isFinite(atMs)) return undefined;
    if (!isPrefixList(complete) || !isPrefixList(unread)) return undefined;
    if (topicId !== undefined && typeof topicId !== 'string') return undefined;
    return { offset, term, sequence, atMs, complete, unread, topicId };
  } catch {
    return undefined;
  }
}

function isPrefixList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string' && parsePrefix(text)?.text === text);
}

/** The prefix and those more-specifics of which it is the nearest monitored one. */
export function statesOf(monitored: MonitoredPrefix): PrefixState[] {
  return [monitored.state, ...[...monitored.moreSpecifics].filter(({ parents }) => parents[0] === monitored)];
}

/** Grows with each change of what a record of the prefix would hold. */
export function versionOf(monitored: MonitoredPrefix): number {
  let version = 0;
  for (const state of statesOf(monitored)) version += state.version + state.lastEventMs;
  return version;
}

/** @param offset of the first event that is not in the table */
export function encodeState(table: RoutingTable, monitored: MonitoredPrefix, offset: number, nowMs: number): Buffer {
  const meta = { createdAtMs: nowMs, completeUntil: {}, final: true, exact: true };
  const snapshot = deflateRawSync(encodePart(table, meta, statesOf(monitored)), { level: 1 });
  const value = Buffer.allocUnsafe(HEAD + snapshot.length);
  value[0] = STATE_VERSION;
  value.writeBigUInt64BE(BigInt(offset), 1);
  snapshot.copy(value, HEAD);
  return value;
}

/**
 * Puts a prefix into a table that monitors it and has no routes of it. Total: what is no record changes nothing.
 * @returns the offset of the first event that is not in it; undefined: it is no record
 */
export function restoreState(table: RoutingTable, value: Buffer, nowMs: number): number | undefined {
  if (value.length <= HEAD || value[0] !== STATE_VERSION) return undefined;
  const offset = Number(value.readBigUInt64BE(1));
  if (!Number.isSafeInteger(offset)) return undefined;
  try {
    const checked = checkSnapshot(inflateRawSync(value.subarray(HEAD), { maxOutputLength: MAX_INFLATED }));
    if (!checked.ok) return undefined;
    addSnapshot(table, checked, nowMs);
    return offset;
  } catch {
    return undefined;
  }
}
