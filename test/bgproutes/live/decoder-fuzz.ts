/**
 * Holds the fast decoder against the general one, on valid frames, odd ones, broken ones and arbitrary bytes: whatever the
 * fast one understands must be what the general one says, and a table that is fed by either must be the same. The same seed
 * gives the same inputs.
 */
import { isDeepStrictEqual } from 'node:util';
import { attributeFingerprint, type DecodedUpdates } from '../../../src/bgp/route-integers.ts';
import { vantagePointKey } from '../../../src/bgp/vantage-point.ts';
import { type DecodeResult, decodeMessage } from '../../../src/bgproutes/live/message.ts';
import { FastDecoder } from '../../../src/bgproutes/live/scanner/fast-decoder.ts';
import { Fold, FoldCounts } from '../../../src/table/fold.ts';
import { RoutingTable } from '../../../src/table/routing-table.ts';
import { hashText } from '../../../src/table/store/text-index.ts';
import { TableIds } from '../../../src/table/table-ids.ts';
import { keptCounters, keptTotals, routesOf } from '../../support/table-recount.ts';
import { watchedPrefix } from '../../support/table-world.ts';
import { frameMaker, randomFrom } from './fuzzed-frames.ts';

export interface FuzzOptions {
  readonly runs: number;
  readonly seed: number;
  /** Valid messages, one a line; they are sent as they are, and mutated. */
  readonly corpus: readonly string[];
  readonly progress?: (runs: number) => void;
}

export interface FuzzResult {
  /** Frames that the fast decoder understood, of all and of those that came unchanged from the corpus. */
  readonly understood: number;
  readonly understoodOfValid: number;
  readonly valid: number;
  /** Frames in which the general decoder found events. */
  readonly readable: number;
}

/** Whole tables are compared after so many frames, and at the end. */
const COMPARE_EVERY = 2_000;
/** Most frames at once: more than are scanned together. */
const MAX_PACKET = 80;
/** Small enough to be reached. */
const MAX_VPS = 400;

/** A table and the way that leads to it. */
class World {
  readonly table = new RoutingTable({ maxVps: MAX_VPS, maxMoreSpecifics: 8 });
  readonly ids = new TableIds(this.table);
  readonly fold = new Fold(this.table);
  readonly counts = new FoldCounts();

  state(): unknown {
    const { table, counts } = this;
    return {
      routes: routesOf(table),
      counts,
      states: [...table.prefixes.states()].map((state) => [state.prefix.text, state.visible]),
      monitored: [...table.prefixes.monitored()].map((one) => [keptTotals(table, one), keptCounters(one)]),
      vps: Array.from({ length: table.vps.end }, (_, vp) => [table.vps.get(vp), table.vps.lastHeardMs[vp]]),
      overall: [table.routes, table.paths.size, table.vps.size],
    };
  }
}

/** @throws at the first disagreement, with everything that is needed to see it again */
export function fuzzDecoders({ runs, seed, corpus, progress = () => {} }: FuzzOptions): FuzzResult {
  const next = frameMaker(corpus, seed);
  const [integers, words] = [new World(), new World()];
  const decoder = new FastDecoder(integers.ids);
  const { prefixes, lastMs } = factsOf(corpus);
  for (const { table } of [integers, words])
    table.watch(
      prefixes.map((text) => watchedPrefix(text)),
      lastMs,
    );
  const result = { understood: 0, understoodOfValid: 0, valid: 0, readable: 0 };
  const random = randomFrom(seed);
  for (let run = 0; run < runs; ) {
    const count = Math.min(runs - run, 1 + Math.floor(random() * MAX_PACKET));
    const packet = Array.from({ length: count }, next);
    const nowMs = lastMs + run;
    const fault = (i: number, what: string) =>
      new Error(
        `seed ${seed}, frame ${run + i + 1}: ${what}; the frame in Latin-1: ${JSON.stringify(packet[i].frame.toString('latin1'))}`,
      );
    const general = packet.map(({ frame }) => decodeMessage(frame));
    for (const [i, message] of general.entries()) {
      if (packet[i].valid) result.valid++;
      if (!message.ok) continue;
      result.readable++;
      words.fold.apply(message.update, 0, words.counts, nowMs);
    }
    decoder.decode(
      packet.map(({ frame }) => frame),
      (read, first) => {
        for (let i = 0; i < read.count; i++) {
          result.understood++;
          if (packet[first + i].valid) result.understoodOfValid++;
          const difference = differenceOf(read, i, general[first + i], integers.table);
          if (difference !== undefined) throw fault(first + i, difference);
        }
        integers.fold.applyIntegers(read, 0, integers.counts, nowMs);
      },
      (_, place) => {
        const doubted = general[place];
        if (doubted.ok) integers.fold.apply(doubted.update, 0, integers.counts, nowMs);
      },
    );
    const compared = Math.floor(run / COMPARE_EVERY);
    run += count;
    if (Math.floor(run / COMPARE_EVERY) > compared || run === runs) {
      if (!isDeepStrictEqual(integers.state(), words.state()))
        throw fault(count - 1, `the tables differ after one of the last ${COMPARE_EVERY} frames`);
      progress(run);
    }
  }
  return result;
}

/** What is different between what the fast decoder understood of a frame and what the general one says; undefined: nothing. */
function differenceOf(
  fast: DecodedUpdates,
  frame: number,
  general: DecodeResult,
  table: RoutingTable,
): string | undefined {
  if (!general.ok) return `understood, but the general decoder refuses it: ${general.reason}`;
  const { update, failures, guessedKey } = general;
  if (failures.length > 0) return `understood, but the general decoder found ${failures}`;
  if (guessedKey !== undefined) return 'understood, but the general decoder had to guess';
  const vp = table.vps.get(fast.vps[frame]);
  if (vp === undefined || vantagePointKey(vp) !== vantagePointKey(update.vp)) return 'another VP';
  if (fast.timesUs[frame] !== update.timeUs) return 'another time';
  const texts = (from: number, to: number) =>
    Array.from(fast.prefixes.subarray(from, to), (number) => table.prefixes.get(number - 1)?.prefix.text);
  // What nobody asked for is only counted.
  const asked = (list: readonly string[]) => list.filter((text) => table.prefixes.find(text) !== undefined);
  const start = frame === 0 ? 0 : fast.announcedEnds[frame - 1];
  const middle = fast.withdrawnEnds[frame];
  const end = fast.announcedEnds[frame];
  if (!isDeepStrictEqual(texts(middle, end), asked(update.announced))) return 'other announced prefixes';
  if (!isDeepStrictEqual(texts(start, middle), asked(update.withdrawn))) return 'other withdrawn prefixes';
  if (end - start + fast.unmonitored[frame] !== update.announced.length + update.withdrawn.length)
    return 'another number of prefixes';
  const { attributes } = update;
  if (end === middle) return fast.paths[frame] === 0 ? undefined : 'a path for nothing';
  if (attributes === undefined) return 'announced, but without attributes';
  if (table.paths.intern(attributes.asPath, update.vp.asn) !== fast.paths[frame]) return 'another path';
  const { communities, nextHop, originAttribute } = attributes;
  const fingerprint = attributeFingerprint(hashText(communities), hashText(nextHop), hashText(originAttribute));
  return fingerprint === fast.fingerprints[frame] ? undefined : 'another fingerprint';
}

/** Prefixes to monitor, among them some around others, and the newest time (Unix ms) of a corpus. */
function factsOf(corpus: readonly string[]): { prefixes: string[]; lastMs: number } {
  const counts = new Map<string, number>();
  let lastUs = 0;
  for (const line of corpus) {
    const result = decodeMessage(line);
    if (!result.ok) continue;
    lastUs = Math.max(lastUs, result.update.timeUs);
    for (const text of [...result.update.announced, ...result.update.withdrawn])
      counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const often = [...counts].sort((a, b) => b[1] - a[1]).map(([text]) => text);
  return { prefixes: [...new Set([...often.slice(0, 10), '100.0.0.0/8', '2001::/16'])], lastMs: lastUs / 1_000 };
}
