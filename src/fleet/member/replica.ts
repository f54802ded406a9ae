/**
 * One partition in the table: applies its records one after the other, each once. What the table has of the partition is a
 * function of the records alone, so that whoever reads them gets the same routes and counters.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RouteUpdate } from '../../bgp/route-event.ts';
import { divideAbsences } from '../../feed/seed/absence-doubts.ts';
import type { SessionFeed } from '../../feed/session-feed.ts';
import type { HistoryVp } from '../../stream/history.ts';
import type { StreamStats } from '../../stream/source.ts';
import { type Absence, applyWord, noteHolder } from '../../table/history/history-rows.ts';
import { TableComparison } from '../../table/history/table-comparison.ts';
import type { MonitoredPrefix, PrefixState } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import { dropVp } from '../../table/vps/vp-loss.ts';
import { type Control, decodeRecord, type FleetRecord } from '../records.ts';
import { ListParts } from './list-parts.ts';
import { RestoredOffsets } from './restored-offsets.ts';
import { type Mark, type Position, statesOf } from './state-record.ts';

export interface ReplicaOptions {
  readonly partition: number;
  readonly table: RoutingTable;
  readonly feed: SessionFeed;
  readonly stats: StreamStats;
  /** Reads one message in words; undefined: it cannot be read. Only for what was read partly before. */
  readonly decode: (message: Buffer) => RouteUpdate | undefined;
  /** The list of VPs as of then (Unix ms). */
  readonly onVps: (vps: readonly HistoryVp[], atMs: number) => void;
  readonly onClockOffset: (offsetMs: number) => void;
  /** What `isComplete` says may have changed. */
  readonly onChange: () => void;
  /** Most VPs of one list. Default: as many as a table may have. */
  readonly maxListed?: number;
}

/** Without a watermark for so long a partition is silent: nothing that it says is trusted. */
const SILENCE_MS = 10_000;
/** Messages that are applied in one turn. */
const MESSAGES_A_TURN = 256;
const ROWS_A_TURN = 2_000;
/** A RIB of so much later has all that was said before events were applied, ms. */
const SETTLE_MS = 10_000;
/** Readings of the history that are under way at a time. */
const MAX_READINGS = 256;
/** Prefixes that are called complete, monitored here or not yet: twice as many as a partition may have. */
const MAX_COMPLETE = 20_000;
/** Until the next record tells when. */
const UNTIL_NOW = Number.POSITIVE_INFINITY;
const NO_MARK: Mark = { offset: 0, term: 0, sequence: 0, atMs: UNTIL_NOW, complete: [], unread: [] };

/** What comes in several records, and means something only as a whole. */
interface Reading {
  readonly rib: TableComparison;
  readonly from: Position;
  parts: number;
}

export type ReplicaPhase = 'restoring' | 'replaying' | 'live';

export class Replica {
  readonly partition: number;
  phase: ReplicaPhase = 'restoring';
  /** Of the first record that was not applied. */
  nextOffset = 0;
  endOffset = 0;
  term = 0;
  sequence = 0;
  /** When a request was sent that was answered with all records up to the end, by `Timers.elapsed`; set by whoever applies. */
  caughtUpAtMs = Number.NEGATIVE_INFINITY;
  /** By the newest watermark: whether the source is up, and when it was written, Unix ms. */
  isUp = false;
  watermarkAtMs: number | undefined;
  /** When the newest watermark was applied here, by `Timers.elapsed`; set by whoever applies. */
  watermarkSeenAtMs = Number.NEGATIVE_INFINITY;
  /** When it was assigned, by `Timers.elapsed`. */
  beganAtMs = 0;
  /** Records that could not be read. */
  unreadable = 0;
  readonly #options: ReplicaOptions;
  readonly #stopped = new AbortController();
  readonly #complete = new Set<string>();
  readonly #doubts = new Map<string, Absence[]>();
  readonly #restored: RestoredOffsets;
  /** Prefixes of which events are missing here, and since when (Unix ms) all are applied: a RIB of later tells the rest. */
  readonly #unread = new Map<string, number>();
  /** Whether some prefixes of `#unread` wait for the next record to tell since when. */
  #awaitsTime = false;
  /** Prefixes that were complete when numbers were missing among the records (Unix ms): a gap that is filled, or a later RIB, ends it. */
  readonly #missed = new Map<string, number>();
  /** Readings of the history that are under way, by their numbers, in the order of their beginnings. */
  readonly #readings = new Map<number, Reading>();
  readonly #list: ListParts;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.partition = options.partition;
    this.#restored = new RestoredOffsets(options.table, options.decode);
    this.#list = new ListParts(options.maxListed);
  }

  get complete(): readonly string[] {
    return [...this.#complete];
  }

  /** Whether the table has all that the prefix has had, for all that the records say. */
  isComplete(prefix: string): boolean {
    return this.#complete.has(prefix) && !this.#isDoubted(prefix) && !this.#unread.has(prefix);
  }

  /** Those that the ingest calls complete, and of which something is missing here. */
  get unread(): readonly string[] {
    return [...[...this.#complete].filter((prefix) => !this.isComplete(prefix)), ...this.#missed.keys()];
  }

  /** From where on whoever restores must read, so that it gets whole what comes in several records. */
  get resume(): Position {
    let first: Position = { offset: this.nextOffset, term: this.term, sequence: this.sequence };
    const begun = [...this.#readings.values()].map(({ from }) => from);
    for (const from of [...begun, this.#list.from]) if (from !== undefined && from.offset < first.offset) first = from;
    return first;
  }

  /**
   * Whether the source is up, by a watermark that is young. An exporter that is slow sees old ones, one after the other: it
   * must have had all that there was, too.
   * @param elapsedMs by `Timers.elapsed`
   */
  isFresh(elapsedMs: number): boolean {
    const sinceMs = elapsedMs - Math.min(this.watermarkSeenAtMs, this.caughtUpAtMs);
    return this.phase === 'live' && this.isUp && sinceMs < SILENCE_MS;
  }

  *monitored(): Generator<MonitoredPrefix> {
    for (const one of this.#options.table.prefixes.monitored()) if (one.firstSession === this.partition) yield one;
  }

  /** Of its monitored prefixes and their more-specifics. */
  *states(): Generator<PrefixState> {
    for (const monitored of this.monitored()) yield* statesOf(monitored);
  }

  /**
   * What was restored.
   * @param mark what the partition's record says; undefined: there is none
   * @param from by prefix that was restored, the offset of the first event that its state does not include
   */
  begin(mark: Mark | undefined, from: ReadonlyMap<string, number>): void {
    const { offset, term, sequence, atMs, complete, unread } = mark ?? NO_MARK;
    for (const prefix of [...complete, ...unread]) this.#complete.add(prefix);
    this.#awaitsTime = atMs === UNTIL_NOW;
    for (const prefix of unread) this.#unread.set(prefix, atMs);
    for (const { state } of this.monitored())
      if (!from.has(state.prefix.text)) this.#unread.set(state.prefix.text, atMs);
    this.nextOffset = offset;
    this.term = term;
    this.sequence = sequence;
    for (const [prefix, first] of from) if (first > offset) this.#restored.set(prefix, first);
    this.phase = 'replaying';
  }

  /**
   * Records were there and could not be read, which the ingest does not know: nothing is trusted until a RIB was read that is
   * younger than the next record.
   */
  lose(): void {
    for (const { state } of this.monitored()) this.#unread.set(state.prefix.text, UNTIL_NOW);
    this.#awaitsTime = true;
    this.#forgetReadings();
    this.#options.onChange();
  }

  /**
   * The log was made again, or its newest records were lost: offsets mean nothing any more, and it is read from its beginning. What
   * was applied is told by the numbers of the records. Until the ingest has filled the gap, or a later RIB was read, nothing is
   * trusted.
   */
  rewind(nowMs: number): void {
    this.nextOffset = 0;
    this.endOffset = 0;
    this.#restored.clear();
    this.#miss(nowMs);
  }

  #miss(atMs: number): void {
    for (const prefix of this.#complete) this.#missed.set(prefix, atMs);
    this.#complete.clear();
    this.#forgetReadings();
    this.#options.onChange();
  }

  /** Prefixes may be complete before a reload monitors them here; names without end are not kept for that. */
  #forgetUnmonitored(): void {
    const own = new Set([...this.monitored()].map(({ state }) => state.prefix.text));
    for (const prefix of this.#complete) if (!own.has(prefix)) this.#complete.delete(prefix);
  }

  /** Parts were lost of what comes in several records. */
  #forgetReadings(): void {
    this.#readings.clear();
    this.#list.forget();
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Runs work between two records; never at the same time as another. */
  exclusive<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#work.then(work);
    const over = () => {};
    this.#work = result.then(over, over);
    return result;
  }

  /** Applies a record. @param seenAtMs when it came here, by `Timers.elapsed` */
  async apply(offset: number, value: Buffer, seenAtMs: number): Promise<void> {
    const { stats } = this.#options;
    stats.frames++;
    stats.receivedBytes += value.length;
    this.nextOffset = offset + 1;
    const record = decodeRecord(value);
    if (record === undefined) {
      this.unreadable++;
      this.lose();
      return;
    }
    // An ingest whose term is over was frozen, and does not know it yet; a number that came before was written twice.
    if (record.term < this.term) return;
    if (record.term > this.term) {
      this.term = record.term;
      this.sequence = 0;
      this.#forgetReadings();
    }
    if (record.sequence <= this.sequence) return;
    // Records of the term are missing. Where the ingest has given them up, it says so next, and the gap is filled.
    if (record.sequence > this.sequence + 1 && this.sequence > 0) this.#miss(record.atMs);
    if (this.#awaitsTime) {
      this.#awaitsTime = false;
      for (const [prefix, sinceMs] of this.#unread) if (sinceMs === UNTIL_NOW) this.#unread.set(prefix, record.atMs);
    }
    const before: Position = { offset, term: this.term, sequence: this.sequence };
    this.sequence = record.sequence;
    if (record.kind === 'messages') await this.#messages(offset, record);
    else await this.#control(before, record, record.control, seenAtMs);
  }

  async #messages(offset: number, { messages, atMs }: FleetRecord & { readonly kind: 'messages' }): Promise<void> {
    const { feed } = this.#options;
    const wanted = this.#restored.newOf(messages, offset);
    for (let at = 0; at < wanted.length && !this.#stopped.signal.aborted; at += MESSAGES_A_TURN) {
      if (at > 0) await nextTurn();
      feed.frames(wanted.slice(at, at + MESSAGES_A_TURN), atMs);
      await feed.applied(this.#stopped.signal);
    }
  }

  async #control(before: Position, { atMs }: FleetRecord, control: Control, seenAtMs: number): Promise<void> {
    const { table, onChange, onVps, onClockOffset } = this.#options;
    switch (control.type) {
      case 'start':
        // All is read once more.
        this.#unread.clear();
        this.#missed.clear();
        this.#complete.clear();
        onChange();
        break;
      case 'watermark':
        this.watermarkAtMs = atMs;
        this.watermarkSeenAtMs = seenAtMs;
        this.isUp = control.up;
        if (this.phase === 'live') onClockOffset(control.clockOffsetMs);
        break;
      case 'gap':
        for (const prefix of control.prefixes) {
          this.#complete.delete(prefix);
          this.#missed.delete(prefix);
        }
        onChange();
        break;
      case 'complete':
        for (const prefix of control.prefixes) {
          this.#complete.add(prefix);
          this.#missed.delete(prefix);
        }
        if (this.#complete.size > MAX_COMPLETE) this.#forgetUnmonitored();
        onChange();
        break;
      case 'peer':
        if (!control.up) this.#peerDown(control.vp, control.timeUs, atMs, before.offset);
        break;
      case 'vps': {
        const list = this.#list.take(control, before);
        if (list === 'too_many') this.unreadable++;
        else if (list !== undefined) onVps(list, atMs);
        break;
      }
      case 'rib':
        await this.#readRib(before, control, atMs);
        break;
      case 'updates':
        await this.#each(control.rows, (row) => applyWord(table, this.partition, row, control.heardFromMs, atMs));
        break;
      case 'holders': {
        const found = new Map();
        await this.#each(control.rows, (row) => noteHolder(table, this.partition, row, found, atMs));
        if (!control.last) break;
        for (const prefix of control.prefixes) {
          const monitored = table.prefixes.find(prefix)?.monitored;
          if (monitored !== undefined) monitored.setExpectedKnown();
        }
      }
    }
  }

  #peerDown(vp: HistoryVp['vp'], timeUs: number, atMs: number, offset: number): void {
    const { table } = this.#options;
    const number = table.vps.find(vp);
    if (number < 0) return;
    const states: PrefixState[] = [];
    for (const monitored of this.monitored()) {
      if (!this.#restored.includes(monitored.state.prefix.text, offset)) states.push(...statesOf(monitored));
    }
    dropVp(table, number, states, timeUs);
    if (this.phase !== 'live' || atMs < table.vps.lastHeardMs[number]) return;
    // The other partitions say the same at the same moment.
    table.vps.lastHeardMs[number] = atMs;
    table.setVpDown(number, timeUs);
  }

  async #readRib(from: Position, control: Control & { readonly type: 'rib' }, atMs: number): Promise<void> {
    const { table, onChange } = this.#options;
    const { reading: number, part } = control;
    if (part === 0) {
      const [oldest] = this.#readings.keys();
      if (oldest !== undefined && this.#readings.size >= MAX_READINGS) this.#readings.delete(oldest);
      this.#readings.set(number, { rib: new TableComparison(table, this.partition, control.atMs), from, parts: 0 });
    }
    const reading = this.#readings.get(number);
    // Without its beginning it would call routes absent that stood there.
    if (reading?.parts !== part) return;
    reading.parts++;
    const { rib } = reading;
    await this.#each(control.rows, (row) => rib.add(row));
    for (const { of, prefixes } of control.inside) rib.addAskedInside(of, prefixes);
    if (!control.last) return;
    this.#readings.delete(number);
    // What an answer before this one called absent, and was not believed, is absent in two answers now.
    for (const prefix of control.prefixes) {
      rib.drop(rib.stillAbsent(this.#doubts.get(prefix) ?? []), atMs);
      this.#doubts.delete(prefix);
      if ((this.#unread.get(prefix) ?? 0) + SETTLE_MS < control.atMs) this.#unread.delete(prefix);
      const missedAtMs = this.#missed.get(prefix);
      if (missedAtMs === undefined || missedAtMs + SETTLE_MS >= control.atMs) continue;
      this.#missed.delete(prefix);
      this.#complete.add(prefix);
    }
    const absences = rib.absences(control.asked, new Set(control.prefixes));
    const { believed, doubted } = divideAbsences(absences.filter(({ vp }) => table.vps.down[vp] === 0));
    rib.drop(believed, atMs);
    for (const absence of doubted) {
      const { state } = absence;
      const prefix = (state.monitored ?? state.parents[0]).state.prefix.text;
      const others = this.#doubts.get(prefix);
      if (others === undefined) this.#doubts.set(prefix, [absence]);
      else others.push(absence);
    }
    onChange();
  }

  /** Doubt about its more-specifics alone leaves a prefix complete, as in an exporter with a history of its own. */
  #isDoubted(prefix: string): boolean {
    return this.#doubts.get(prefix)?.some(({ state }) => state.monitored !== undefined) === true;
  }

  async #each<Row>(rows: readonly Row[], apply: (row: Row) => void): Promise<void> {
    for (const [i, row] of rows.entries()) {
      if (i > 0 && i % ROWS_A_TURN === 0) await nextTurn();
      if (this.#stopped.signal.aborted) return;
      apply(row);
    }
  }
}
