/**
 * The table as bytes, so that a restart goes on where the last run ended. Pure: who writes the bytes is in storage/, the
 * layout in snapshot-format.ts.
 */
import { crc32 } from 'node:zlib';
import { LOSS_REASONS, type MonitoredPrefix, PrefixState } from '../prefixes/prefix-state.ts';
import type { RoutingTable } from '../routing-table.ts';
import { PATH_LIMIT } from '../store/path-table.ts';
import { VP_LIMIT } from '../store/vp-registry.ts';
import { COUNTERS, type SnapshotCheck } from './snapshot-check.ts';
import {
  BYTES_PER_CELL,
  type CountersRecord,
  FIRST_SOURCE,
  HEAD,
  MAGIC,
  type PathRecord,
  type PrefixHead,
  RECORDS_A_SECTION,
  SECTION,
  SECTION_HEAD,
  type Section,
  SNAPSHOT_VERSION,
  type SnapshotMeta,
  sectionsOf,
  type VpRecord,
} from './snapshot-format.ts';

export { checkSnapshot, type SnapshotCheck, type SnapshotFault } from './snapshot-check.ts';
export { FIRST_SOURCE, type SnapshotMeta } from './snapshot-format.ts';

/**
 * The snapshot in chunks, each made in well under a millisecond per thousand VPs; the table may go on between them. What
 * changes meanwhile may or may not be in: a gap fill from `createdAtMs` on makes both the same.
 * @param aheadMs how far the clock of the snapshot is ahead of that by which the table was told the time: the clock of the next
 *   process is another. Stamps of messages are the service's and stay
 */
export function encodeSnapshot(table: RoutingTable, meta: SnapshotMeta, aheadMs = 0): Generator<Buffer, void, void> {
  return encodeStates(table, meta, aheadMs, () => [...table.prefixes.states()]);
}

/** Encodes some prefixes only, as they are at this moment, with the VPs that they need. `addSnapshot` adds them to a table. */
export function encodePart(table: RoutingTable, meta: SnapshotMeta, states: readonly PrefixState[]): Buffer {
  const isNeeded = (vp: number) =>
    states.some((state) => {
      const cell = table.cells.find(state, vp);
      return cell !== -1 && table.cells.signedTime(cell) !== 0;
    });
  return Buffer.concat([...encodeStates(table, meta, 0, () => states, isNeeded)]);
}

function* encodeStates(
  table: RoutingTable,
  meta: SnapshotMeta,
  aheadMs: number,
  states: () => readonly PrefixState[],
  isNeeded: (vp: number) => boolean = () => true,
): Generator<Buffer, void, void> {
  let checksum = 0;
  const emit = (bytes: Buffer): Buffer => {
    checksum = crc32(bytes, checksum);
    return bytes;
  };
  const head = Buffer.alloc(HEAD);
  MAGIC.copy(head);
  head.writeUInt32LE(SNAPSHOT_VERSION, MAGIC.length);
  yield emit(head);
  yield emit(section(SECTION.META, json(meta)));

  const vps: VpRecord[] = [];
  /** By the table's VP number: place in the snapshot, plus 1. */
  const vpPlaces: number[] = [];
  for (let vp = 0; vp < table.vps.end; vp++) {
    const known = table.vps.get(vp);
    if (known === undefined || !isNeeded(vp)) continue;
    // When a VP that is down lost its route keeps older words out.
    if (table.vps.down[vp] === 1 && meta.exact !== true) continue;
    const by = table.ownership.isShared ? { by: table.ownership.delivers[vp] } : {};
    const listed = table.vps.listed[vp] === 0 ? 0 : 1;
    vps.push({ vp: known, heardMs: table.vps.lastHeardMs[vp] + aheadMs, listed, ...by });
    vpPlaces[vp] = vps.length;
  }
  // Collected before the first yield, because a number may pass to another VP while the snapshot is written.
  const vpObjects = vpPlaces.map((_, vp) => table.vps.get(vp));
  for (const part of parts(vps)) yield emit(section(SECTION.VPS, json(part)));

  const paths = new PathNumbers(table);
  for (const state of states()) {
    if (table.prefixes.get(state.number) !== state) continue; // it left while this was written
    const payload = encodePrefix(
      table,
      state,
      (vp) => (table.vps.get(vp) === vpObjects[vp] ? (vpPlaces[vp] ?? 0) : 0),
      paths,
      aheadMs,
      meta.exact === true,
    );
    const added = paths.takeAdded();
    for (const part of parts(added)) yield emit(section(SECTION.PATHS, json(part)));
    yield emit(section(SECTION.PREFIX, payload));
  }
  const end = Buffer.alloc(4);
  end.writeUInt32LE(checksum);
  yield section(SECTION.END, end);
}

/** Numbers paths as they are met. A path number of the table may pass to another path between two chunks: the text tells. */
class PathNumbers {
  readonly #table: RoutingTable;
  readonly #numbers: number[] = [];
  readonly #texts: string[] = [];
  #next = 1;
  #added: PathRecord[] = [];

  constructor(table: RoutingTable) {
    this.#table = table;
  }

  of(path: number): number {
    const { paths } = this.#table;
    const text = paths.text(path);
    const own = paths.ownAsn(path);
    const identity = own === undefined ? text : `${text}\n${own}`;
    if (this.#texts[path] === identity) return this.#numbers[path];
    this.#texts[path] = identity;
    this.#numbers[path] = this.#next;
    this.#added.push([text, own ?? null]);
    return this.#next++;
  }

  takeAdded(): readonly PathRecord[] {
    const added = this.#added;
    this.#added = [];
    return added;
  }
}

function encodePrefix(
  table: RoutingTable,
  state: PrefixState,
  place: (vp: number) => number,
  paths: PathNumbers,
  aheadMs: number,
  isExact: boolean,
): Buffer {
  const monitored = state.monitored;
  const head: PrefixHead =
    monitored === undefined
      ? { prefix: state.prefix.text, listedBy: state.parents.map((parent) => parent.state.prefix.text) }
      : { prefix: state.prefix.text, window: windowOf(monitored, aheadMs), counters: countersOf(monitored, aheadMs) };
  const cells: number[] = [];
  const times: number[] = [];
  const places: number[] = [];
  for (let vp = 0; vp < table.vps.end; vp++) {
    const cell = table.cells.find(state, vp);
    if (cell === -1 || place(vp) === 0) continue;
    // A withdrawal keeps older words out; over a restart that is not worth its room.
    const isHeld = table.cells.path(cell) !== 0 || table.cells.mark(cell) !== 0;
    if (!isHeld && !(isExact && table.cells.signedTime(cell) !== 0)) continue;
    cells.push(cell);
    times.push(isExact ? table.cells.signedTime(cell) : table.clock.saidUs(cell, vp));
    places.push(place(vp) - 1);
  }
  const headBytes = json(head);
  const payload = Buffer.allocUnsafe(8 + headBytes.length + cells.length * BYTES_PER_CELL);
  payload.writeUInt32LE(headBytes.length, 0);
  headBytes.copy(payload, 4);
  let at = 4 + headBytes.length;
  payload.writeUInt32LE(cells.length, at);
  at += 4;
  const numbers = {
    vps: at,
    paths: at + cells.length * 4,
    marks: at + cells.length * 8,
    times: at + cells.length * 12,
  };
  for (const [i, cell] of cells.entries()) {
    const path = table.cells.path(cell);
    payload.writeUInt32LE(places[i], numbers.vps + i * 4);
    payload.writeUInt32LE(path === 0 ? 0 : paths.of(path), numbers.paths + i * 4);
    const mark = table.cells.mark(cell);
    const isLoss = path === 0 && mark !== 0;
    payload.writeUInt32LE(isLoss ? Math.max(1, mark + Math.round(aheadMs / 1000)) : mark, numbers.marks + i * 4);
    payload.writeDoubleLE(times[i], numbers.times + i * 8);
  }
  return payload;
}

function windowOf(
  { watchedSinceMs, stoodStillMs, expectedKnown }: MonitoredPrefix,
  aheadMs: number,
): NonNullable<PrefixHead['window']> {
  return { watchedSinceMs: watchedSinceMs + aheadMs, stoodStillMs, expectedKnown };
}

function countersOf(monitored: NonNullable<PrefixState['monitored']>, aheadMs: number): CountersRecord {
  const { sinceMs, announcements, withdrawals, pathChanges, originChanges, repeats, gains, losses } = monitored;
  const { announcedLengths, announcedLengthSum, lastAnnouncementUs, lastWithdrawalUs } = monitored;
  return {
    sinceMs: sinceMs + aheadMs,
    ...{ announcements, withdrawals, pathChanges, originChanges, repeats, gains, losses },
    ...{ announcedLengths: [...announcedLengths], announcedLengthSum, lastAnnouncementUs, lastWithdrawalUs },
  };
}

function section(kind: number, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(SECTION_HEAD + payload.length);
  bytes.writeUInt32LE(kind, 0);
  bytes.writeUInt32LE(payload.length, 4);
  payload.copy(bytes, SECTION_HEAD);
  return bytes;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

/** So that a section, which is read as a whole, stays small. */
function* parts<Item>(records: readonly Item[]): Generator<readonly Item[]> {
  for (let at = 0; at < records.length; at += RECORDS_A_SECTION) yield records.slice(at, at + RECORDS_A_SECTION);
}

/**
 * Fills a fresh table, whose monitored prefixes are set, with a checked snapshot. Prefixes that are no longer monitored,
 * nor inside one that is, are left out; so are VPs over the bound.
 * @throws when what is in it makes no sense although its checksum is right, as written by a program with a fault; the table
 * is empty then
 */
export function restoreSnapshot(
  table: RoutingTable,
  snapshot: SnapshotCheck & { readonly ok: true },
  nowMs: number,
): void {
  const monitored = [...table.prefixes.monitored()];
  const watched = monitored.map((one) => one.watched);
  const sinceMs = monitored[0]?.sinceMs ?? 0;
  try {
    fill(table, snapshot, nowMs);
  } catch (error) {
    table.watch([], sinceMs);
    for (let vp = 0; vp < table.vps.end; vp++) table.vps.lastHeardMs[vp] = 0;
    table.sweep(sinceMs, Number.POSITIVE_INFINITY);
    table.watch(watched, sinceMs);
    throw error;
  }
}

/**
 * Adds prefixes of a checked snapshot to a table that monitors them and has no routes of them yet. Those that it does not
 * monitor are left out.
 * @throws when what is in it makes no sense although its checksum is right; some of it may be in the table then
 */
export function addSnapshot(table: RoutingTable, snapshot: SnapshotCheck & { readonly ok: true }, nowMs: number): void {
  fill(table, snapshot, nowMs);
}

function fill(table: RoutingTable, snapshot: SnapshotCheck & { readonly ok: true }, nowMs: number): void {
  const vps: number[] = [];
  const paths: number[] = [0];
  const restored = new Set<PrefixState>();
  const { final, exact } = snapshot.meta;
  const names = snapshot.meta.sources?.map(({ name }) => name) ?? [FIRST_SOURCE];
  const places = names.map((name) => table.ownership.sources.indexOf(name));
  try {
    for (const section of sectionsOf(snapshot.bytes))
      fillWith(table, section, { vps, paths, restored, places, final: final === true, exact: exact === true }, nowMs);
    // Time goes on from that moment: the window of a prefix that hardly anybody saw stood still while the process was away, too.
    for (const { monitored } of restored) if (monitored !== undefined) monitored.sweptAtMs = snapshot.meta.createdAtMs;
  } finally {
    for (const number of paths) if (number > 0) table.paths.release(number);
  }
}

/** What sections of a file refer to by their numbers, and what is restored. */
interface Filled {
  readonly vps: number[];
  readonly paths: number[];
  /** By the state itself: its number may pass to another when it makes room. */
  readonly restored: Set<PrefixState>;
  /** By source of the file: its place in the table, or -1. */
  readonly places: readonly number[];
  /** `SnapshotMeta` tells what these mean. */
  readonly final: boolean;
  readonly exact: boolean;
}

function fillWith(table: RoutingTable, { kind, payload }: Section, filled: Filled, nowMs: number): void {
  const { vps, paths, places } = filled;
  if (kind === SECTION.VPS) {
    for (const { vp, heardMs, listed, by = 1 } of JSON.parse(payload.toString('utf8')) as VpRecord[]) {
      const number = table.vps.add(vp);
      vps.push(number);
      if (number === VP_LIMIT) continue;
      table.restoreVp(number, Math.max(0, Math.min(heardMs, nowMs)));
      for (const [bit, source] of places.entries()) {
        if (source === -1 || (by & (1 << bit)) === 0) continue;
        table.list(number, source);
        if (listed === 1) table.vps.listed[number] |= 1 << source;
      }
    }
  } else if (kind === SECTION.PATHS) {
    for (const [text, own] of JSON.parse(payload.toString('utf8')) as PathRecord[]) {
      const number = table.paths.intern(text, own ?? 0) ?? 0;
      // Held by the snapshot itself until all is done, so that the number cannot pass to another path.
      if (number > 0) table.paths.retain(number);
      paths.push(number);
    }
  } else if (kind === SECTION.PREFIX) {
    restorePrefix(table, payload, filled, nowMs);
  }
}

function restorePrefix(
  table: RoutingTable,
  payload: Buffer,
  { vps, paths, restored, final, exact }: Filled,
  nowMs: number,
): void {
  const headLength = payload.readUInt32LE(0);
  const head = JSON.parse(payload.toString('utf8', 4, 4 + headLength)) as PrefixHead;
  const state = table.prefixes.resolve(head.prefix, true, head.listedBy);
  const countAt = 4 + headLength;
  if (state === 'more_specific_limit') table.droppedRoutes.more_specific_limit += routesAt(payload, countAt);
  if (!(state instanceof PrefixState) || restored.has(state)) return;
  restored.add(state);
  if (state.monitored !== undefined && head.counters !== undefined) {
    if (final) restoreCounters(state.monitored, head.counters);
    state.monitored.lastAnnouncementUs = Math.min(head.counters.lastAnnouncementUs, table.clock.serviceNowUs(nowMs));
    state.monitored.lastWithdrawalUs = Math.min(head.counters.lastWithdrawalUs, table.clock.serviceNowUs(nowMs));
  }
  if (state.monitored !== undefined && head.window !== undefined) restoreWindow(state.monitored, head.window);
  const count = payload.readUInt32LE(countAt);
  // Copied once, because the parts of a file stand at any offset and a typed array does not.
  const start = payload.byteOffset + countAt + 4;
  const words = new Uint32Array(payload.buffer.slice(start, start + count * 12));
  const times = new Float64Array(payload.buffer.slice(start + count * 12, start + count * BYTES_PER_CELL));
  for (let i = 0; i < count; i++) {
    const vp = vps[words[i]];
    const snapshotPath = words[count + i];
    const path = paths[snapshotPath];
    if (vp === VP_LIMIT && snapshotPath !== 0) table.droppedRoutes.vp_limit++;
    else if (path === PATH_LIMIT) table.droppedRoutes.path_limit++;
    if (vp === VP_LIMIT || (snapshotPath !== 0 && path <= 0)) continue;
    const timeUs = table.clock.notAhead(Math.abs(times[i]), 'snapshot', nowMs);
    // The table takes it as a word of the history, unless the stream itself said it.
    table.restoreCell(state, vp, path, words[2 * count + i], exact && times[i] > 0 ? -timeUs : timeUs);
  }
}

function restoreWindow(monitored: MonitoredPrefix, window: NonNullable<PrefixHead['window']>): void {
  const { watchedSinceMs, stoodStillMs, expectedKnown } = window;
  if (!(watchedSinceMs > 0) || !(stoodStillMs >= 0)) throw new RangeError('the window of a prefix makes no sense');
  monitored.watchedSinceMs = Math.min(watchedSinceMs, monitored.watchedSinceMs);
  monitored.stoodStillMs = stoodStillMs;
  monitored.expectedKnown = expectedKnown === true;
}

function restoreCounters(monitored: MonitoredPrefix, of: CountersRecord): void {
  const { announcedLengths, losses } = of;
  monitored.sinceMs = of.sinceMs;
  for (const name of COUNTERS) monitored[name] = of[name];
  for (const reason of LOSS_REASONS) monitored.losses[reason] = losses[reason] ?? 0;
  monitored.announcedLengths.set(announcedLengths.slice(0, monitored.announcedLengths.length));
}

/** Cells with a route among those whose count stands at `countAt`. */
function routesAt(payload: Buffer, countAt: number): number {
  const count = payload.readUInt32LE(countAt);
  const pathsAt = countAt + 4 + count * 4;
  let routes = 0;
  for (let i = 0; i < count; i++) if (payload.readUInt32LE(pathsAt + i * 4) !== 0) routes++;
  return routes;
}
