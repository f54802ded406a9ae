/**
 * One partition in the table: applies its records one after the other, each once. What the table has of the partition is a
 * function of the records alone, so that whoever reads them gets the same routes and counters.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parsePrefix } from '../../bgp/prefix.ts';
import type { RouteUpdate } from '../../bgp/route-event.ts';
import { divideAbsences } from '../../feed/seed/absence-doubts.ts';
import type { SessionFeed } from '../../feed/session-feed.ts';
import type { HistoryVp } from '../../stream/history.ts';
import type { StreamStats } from '../../stream/source.ts';
import { type Absence, applyWord, noteHolder } from '../../table/history-rows.ts';
import type { MonitoredPrefix, PrefixState } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import { TableComparison } from '../../table/table-comparison.ts';
import { dropVp } from '../../table/vp-loss.ts';
import { encodeUpdate } from '../message.ts';
import { type Control, decodeRecord, type FleetRecord } from '../records.ts';
import { type Mark, statesOf } from './state-record.ts';

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
}

/** Messages that are applied in one turn. */
const MESSAGES_A_TURN = 256;
const ROWS_A_TURN = 2_000;
/** A RIB of so much later has all that was said before events were applied, ms. */
const SETTLE_MS = 10_000;
const NO_MARK: Mark = { offset: 0, term: 0, sequence: 0, atMs: Number.POSITIVE_INFINITY, complete: [] };

export type ReplicaPhase = 'restoring' | 'replaying' | 'live';

export class Replica {
  readonly partition: number;
  phase: ReplicaPhase = 'restoring';
  /** Of the first record that was not applied. */
  nextOffset = 0;
  endOffset = 0;
  term = 0;
  sequence = 0;
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
  readonly #doubts = new Map<string, readonly Absence[]>();
  /** By monitored prefix: the offset of the first event that its restored state does not include. */
  readonly #from = new Map<string, number>();
  #highestFrom = 0;
  /** Prefixes that were not restored, and since when (Unix ms) their events are applied: no route is known that was older. */
  readonly #unread = new Map<string, number>();
  #rib: TableComparison | undefined;
  #vps: HistoryVp[] = [];
  #work: Promise<void> = Promise.resolve();

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.partition = options.partition;
  }

  get complete(): readonly string[] {
    return [...this.#complete];
  }

  /** Whether the table has all that the prefix has had, for all that the records say. */
  isComplete(prefix: string): boolean {
    return this.#complete.has(prefix) && !this.#doubts.has(prefix) && !this.#unread.has(prefix);
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
    const { offset, term, sequence, atMs, complete } = mark ?? NO_MARK;
    for (const prefix of complete) this.#complete.add(prefix);
    for (const { state } of this.monitored())
      if (!from.has(state.prefix.text)) this.#unread.set(state.prefix.text, atMs);
    this.nextOffset = offset;
    this.term = term;
    this.sequence = sequence;
    for (const [prefix, first] of from) {
      if (first <= offset) continue;
      this.#from.set(prefix, first);
      this.#highestFrom = Math.max(this.#highestFrom, first);
    }
    this.phase = 'replaying';
  }

  /** Records were lost before they could be read: nothing is complete up to now. */
  lose(): void {
    this.#complete.clear();
    this.#options.onChange();
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Runs work between two records; never at the same time as another. */
  exclusive<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#work.then(work);
    this.#work = result.then(
      () => {},
      () => {},
    );
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
    }
    if (record.sequence <= this.sequence) return;
    // Records of the term are missing: they were given up before they were written.
    if (record.sequence > this.sequence + 1 && this.sequence > 0) this.lose();
    this.sequence = record.sequence;
    if (record.kind === 'messages') await this.#messages(offset, record);
    else await this.#control(offset, record, record.control, seenAtMs);
  }

  async #messages(offset: number, { messages, atMs }: FleetRecord & { readonly kind: 'messages' }): Promise<void> {
    const { feed } = this.#options;
    const wanted = offset < this.#highestFrom ? this.#newOf(messages, offset) : messages;
    for (let at = 0; at < wanted.length && !this.#stopped.signal.aborted; at += MESSAGES_A_TURN) {
      if (at > 0) await nextTurn();
      feed.frames(wanted.slice(at, at + MESSAGES_A_TURN), atMs);
      await feed.applied(this.#stopped.signal);
    }
  }

  /** Messages without the prefixes whose restored state includes them. */
  #newOf(messages: readonly Buffer[], offset: number): Buffer[] {
    return messages.flatMap((message) => {
      const update = this.#options.decode(message);
      if (update === undefined) return [message];
      const isNew = (prefix: string) => !this.#isIncluded(prefix, offset);
      const [withdrawn, announced] = [update.withdrawn.filter(isNew), update.announced.filter(isNew)];
      return withdrawn.length + announced.length === 0 ? [] : [encodeUpdate(update, withdrawn, announced)];
    });
  }

  #isIncluded(prefix: string, offset: number): boolean {
    const { prefixes } = this.#options.table;
    const state = prefixes.find(prefix);
    const owner = state?.monitored ?? state?.parents[0];
    const name = owner?.state.prefix.text ?? this.#around(prefix);
    return name !== undefined && offset < (this.#from.get(name) ?? 0);
  }

  /** The nearest monitored prefix around one without state. */
  #around(text: string): string | undefined {
    const inner = parsePrefix(text);
    if (inner === undefined) return undefined;
    const state = this.#options.table.prefixes.stateFor(inner, false);
    return typeof state === 'string' ? undefined : state.parents[0]?.state.prefix.text;
  }

  async #control(offset: number, { atMs }: FleetRecord, control: Control, seenAtMs: number): Promise<void> {
    const { table, onChange, onVps, onClockOffset } = this.#options;
    switch (control.type) {
      case 'start':
        // All is read once more.
        this.#rib = undefined;
        this.#unread.clear();
        this.lose();
        break;
      case 'watermark':
        this.watermarkAtMs = atMs;
        this.watermarkSeenAtMs = seenAtMs;
        this.isUp = control.up;
        if (this.phase === 'live') onClockOffset(control.clockOffsetMs);
        break;
      case 'gap':
        for (const prefix of control.prefixes) this.#complete.delete(prefix);
        onChange();
        break;
      case 'complete':
        for (const prefix of control.prefixes) this.#complete.add(prefix);
        onChange();
        break;
      case 'peer':
        if (!control.up) this.#peerDown(control.vp, control.timeUs, atMs, offset);
        break;
      case 'vps':
        this.#vps = control.part === 0 ? [...control.vps] : [...this.#vps, ...control.vps];
        if (control.part + 1 === control.parts) onVps(this.#vps, atMs);
        break;
      case 'rib':
        await this.#readRib(control, atMs);
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
          if (monitored !== undefined) table.setExpectedKnown(monitored);
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
      if (offset >= (this.#from.get(monitored.state.prefix.text) ?? 0)) states.push(...statesOf(monitored));
    }
    dropVp(table, number, states, timeUs);
    if (this.phase !== 'live' || atMs < table.vps.lastHeardMs[number]) return;
    // The other partitions say the same at the same moment.
    table.vps.lastHeardMs[number] = atMs;
    table.setVpDown(number, timeUs);
  }

  async #readRib(control: Control & { readonly type: 'rib' }, atMs: number): Promise<void> {
    const { table, onChange } = this.#options;
    const rib = (this.#rib ??= new TableComparison(table, this.partition, control.atMs));
    await this.#each(control.rows, (row) => rib.add(row));
    if (!control.last) return;
    this.#rib = undefined;
    // What an answer before this one called absent, and was not believed, is absent in two answers now.
    for (const prefix of control.prefixes) {
      rib.drop(rib.stillAbsent(this.#doubts.get(prefix) ?? []), atMs);
      this.#doubts.delete(prefix);
      if ((this.#unread.get(prefix) ?? 0) + SETTLE_MS < control.atMs) this.#unread.delete(prefix);
    }
    const absences = rib.absences(control.asked, new Set(control.prefixes));
    const { believed, doubted } = divideAbsences(absences.filter(({ vp }) => table.vps.down[vp] === 0));
    rib.drop(believed, atMs);
    for (const absence of doubted) {
      const { state } = absence;
      const prefix = (state.monitored ?? state.parents[0]).state.prefix.text;
      this.#doubts.set(prefix, [...(this.#doubts.get(prefix) ?? []), absence]);
    }
    onChange();
  }

  async #each<Row>(rows: readonly Row[], apply: (row: Row) => void): Promise<void> {
    for (const [i, row] of rows.entries()) {
      if (i > 0 && i % ROWS_A_TURN === 0) await nextTurn();
      if (this.#stopped.signal.aborted) return;
      apply(row);
    }
  }
}
