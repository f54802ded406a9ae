/** Answers of a history, as they come, into the partitions: what a seeder with a table would apply, each exporter applies. */
import { type VantagePoint, vantagePointKey } from '../../bgp/vantage-point.ts';
import { wholeSecond } from '../../feed/seed/session-history.ts';
import type { AskedInside, History, HistoryVp, UpdatesOf } from '../../stream/history.ts';
import type { EventWriter } from '../event-writer.ts';
import { type CompactRow, compactRow } from '../records.ts';
import type { MoreSpecifics } from './more-specifics.ts';
import type { VpList } from './vp-list.ts';

/** Rows and bytes of their texts in one record, which comes to less than a record may have. */
const ROWS_A_RECORD = 4_000;
const TEXT_A_RECORD = 400_000;

interface Gathered {
  readonly rows: CompactRow[];
  readonly inside: AskedInside[];
  textLength: number;
}

export class HistoryWriter {
  readonly title: string;
  readonly #history: History;
  readonly #list: VpList;
  readonly #writer: EventWriter;
  readonly #moreSpecifics: MoreSpecifics;

  /** @param moreSpecifics those that answers speak of are noted there */
  constructor(history: History, list: VpList, writer: EventWriter, moreSpecifics: MoreSpecifics) {
    this.#history = history;
    this.#list = list;
    this.#writer = writer;
    this.#moreSpecifics = moreSpecifics;
    this.title = history.title ?? 'the Data API';
  }

  /** What VPs held at `ourMs`, and by its absence what they did not. Rejects as the history does. */
  async rib(vps: readonly HistoryVp[], prefixes: readonly string[], ourMs: number, signal: AbortSignal): Promise<void> {
    const atMs = wholeSecond(this.#serviceMs(ourMs));
    const unavailable = new Set<string>();
    const rows = new Map<number, Gathered>();
    const own = this.#writer.byPartition(prefixes, (prefix) => prefix);
    const reading = this.#writer.nextReading();
    const parts = new Map<number, number>();
    const write = (partition: number, last: boolean, of: readonly string[], asked: readonly VantagePoint[]) => {
      const part = parts.get(partition) ?? 0;
      parts.set(partition, part + 1);
      const { rows: own = [], inside = [] } = rows.get(partition) ?? {};
      this.#writer.control(partition, {
        ...{ type: 'rib', reading, part, atMs, prefixes: of, rows: own, inside, last, asked },
      });
      rows.delete(partition);
    };
    let isWhole = false;
    try {
      for await (const batch of this.#history.rib(vps, prefixes, atMs, signal)) {
        if (signal.aborted) return;
        for (const { vp } of batch.unavailable) unavailable.add(vantagePointKey(vp));
        const onFull = (partition: number) => write(partition, false, [], []);
        this.#gatherInside(rows, batch.askedInside ?? [], onFull);
        this.#gather(rows, batch.rows.map(compactRow), onFull);
      }
      isWhole = !signal.aborted;
    } finally {
      // A part of an answer is no answer: absences are told when it has ended well.
      const asked = isWhole ? vps.map(({ vp }) => vp).filter((vp) => !unavailable.has(vantagePointKey(vp))) : [];
      for (const [partition, prefixes] of own) {
        if (isWhole && rows.has(partition)) write(partition, false, [], []);
        if (isWhole || parts.has(partition)) write(partition, true, isWhole ? prefixes : [], asked);
      }
    }
  }

  /** What VPs said in between. `heardFromMs`: since when the stream was heard. Rejects as the history does. */
  async readUpdates(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    fromMs: number,
    toMs: number,
    heardFromMs: number,
    signal: AbortSignal,
    of: UpdatesOf = 'all',
  ): Promise<void> {
    const [from, to] = [wholeSecond(this.#serviceMs(fromMs)), Math.ceil(this.#serviceMs(toMs) / 1000) * 1000];
    const heard = this.#serviceMs(heardFromMs);
    for await (const { rows } of this.#history.updates(vps, prefixes, from, to, signal, of)) {
      if (signal.aborted) return;
      for (const { prefix } of rows) this.#moreSpecifics.note(prefix);
      const words = rows.map((row) => ({ ...compactRow(row), kind: row.kind, timeUs: row.timeUs }));
      for (const [partition, own] of this.#writer.byPartition(words, ({ prefix }) => prefix))
        for (let at = 0; at < own.length; at += ROWS_A_RECORD)
          this.#writer.control(partition, {
            ...{ type: 'updates', heardFromMs: heard, rows: own.slice(at, at + ROWS_A_RECORD) },
          });
    }
  }

  /** Who held the prefixes at `ourMs`. Rejects as the history does. */
  async holders(prefixes: readonly string[], ourMs: number, signal: AbortSignal): Promise<void> {
    const rows = new Map<number, Gathered>();
    const own = this.#writer.byPartition(prefixes, (prefix) => prefix);
    const write = (partition: number, last: boolean) => {
      this.#writer.control(partition, {
        ...{ type: 'holders', prefixes: own.get(partition) ?? [], rows: rows.get(partition)?.rows ?? [], last },
      });
      rows.delete(partition);
    };
    const atMs = wholeSecond(this.#serviceMs(ourMs));
    for await (const batch of this.#history.holders(this.#list.live, prefixes, atMs, signal)) {
      if (signal.aborted) return;
      this.#gather(rows, batch.rows.map(compactRow), (partition) => write(partition, false));
    }
    if (!signal.aborted) for (const partition of own.keys()) write(partition, true);
  }

  /** Adds rows to those of their partitions, and tells of each partition that has enough for a record. */
  #gather(to: Map<number, Gathered>, rows: readonly CompactRow[], onFull: (partition: number) => void): void {
    for (const { prefix } of rows) this.#moreSpecifics.note(prefix);
    for (const [partition, own] of this.#writer.byPartition(rows, ({ prefix }) => prefix)) {
      for (const row of own) {
        const gathered = gatheredIn(to, partition);
        gathered.rows.push(row);
        gathered.textLength += row.asPath.length + row.prefix.length;
        if (gathered.rows.length >= ROWS_A_RECORD || gathered.textLength >= TEXT_A_RECORD) onFull(partition);
      }
    }
  }

  /** The same for the more-specifics that were asked for. */
  #gatherInside(to: Map<number, Gathered>, asked: readonly AskedInside[], onFull: (partition: number) => void): void {
    for (const [partition, own] of this.#writer.byPartition(asked, ({ of }) => of)) {
      for (const { of, prefixes } of own) {
        for (let at = 0; at === 0 || at < prefixes.length; at += ROWS_A_RECORD) {
          const some = prefixes.slice(at, at + ROWS_A_RECORD);
          const gathered = gatheredIn(to, partition);
          gathered.inside.push({ of, prefixes: some });
          gathered.textLength += some.reduce((length, prefix) => length + prefix.length, of.length);
          if (gathered.textLength >= TEXT_A_RECORD) onFull(partition);
        }
      }
    }
  }

  #serviceMs(ourMs: number): number {
    return ourMs + this.#list.clockOffsetMs;
  }
}

function gatheredIn(all: Map<number, Gathered>, partition: number): Gathered {
  let gathered = all.get(partition);
  if (gathered === undefined) all.set(partition, (gathered = { rows: [], inside: [], textLength: 0 }));
  return gathered;
}
