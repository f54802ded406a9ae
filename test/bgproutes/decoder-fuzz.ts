/**
 * Holds the fast decoder against the general one, on valid frames, odd ones, broken ones and arbitrary bytes: whatever the
 * fast one understands must be what the general one says, and a table that is fed by either must be the same. The same seed
 * gives the same inputs.
 */
import { isDeepStrictEqual } from 'node:util';
import { attributeFingerprint } from '../../src/bgp/route-ids.ts';
import { vantagePointKey } from '../../src/bgp/vantage-point.ts';
import { FastDecoder } from '../../src/bgproutes/fast-decoder.ts';
import { type DecodeResult, decodeMessage } from '../../src/bgproutes/message.ts';
import { Fold, FoldCounts } from '../../src/table/fold.ts';
import { TableIds } from '../../src/table/route-ids.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { hashText } from '../../src/table/text-index.ts';
import { keptCounters, keptTotals, routesOf } from '../support/table-recount.ts';
import { watchedPrefix } from '../support/table-world.ts';
import { frameMaker } from './fuzzed-frames.ts';

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
  for (let run = 1; run <= runs; run++) {
    const { frame, valid } = next();
    const nowMs = lastMs + run;
    const fault = (what: string) =>
      new Error(`seed ${seed}, run ${run}: ${what}; the frame in Latin-1: ${JSON.stringify(frame.toString('latin1'))}`);
    const general = decodeMessage(frame);
    if (general.ok) {
      result.readable++;
      words.fold.apply(general.update, 0, words.counts, nowMs);
    }
    if (valid) result.valid++;
    if (decoder.decode(frame)) {
      result.understood++;
      if (valid) result.understoodOfValid++;
      const difference = differenceOf(decoder, general, integers.table);
      if (difference !== undefined) throw fault(difference);
      integers.fold.applyIds(decoder, 0, integers.counts, nowMs);
    } else if (general.ok) integers.fold.apply(general.update, 0, integers.counts, nowMs);
    if (run % COMPARE_EVERY === 0 || run === runs) {
      if (!isDeepStrictEqual(integers.state(), words.state()))
        throw fault(`the tables differ after one of the last ${COMPARE_EVERY} frames`);
      progress(run);
    }
  }
  return result;
}

/** What is different between what the fast decoder understood and what the general one says; undefined: nothing. */
function differenceOf(fast: FastDecoder, general: DecodeResult, table: RoutingTable): string | undefined {
  if (!general.ok) return `understood, but the general decoder refuses it: ${general.reason}`;
  const { update, failures, guessedKey } = general;
  if (failures.length > 0) return `understood, but the general decoder found ${failures}`;
  if (guessedKey !== undefined) return 'understood, but the general decoder had to guess';
  const vp = table.vps.get(fast.vp);
  if (vp === undefined || vantagePointKey(vp) !== vantagePointKey(update.vp)) return 'another VP';
  if (fast.timeUs !== update.timeUs) return 'another time';
  const texts = (list: Int32Array, count: number) =>
    Array.from(list.subarray(0, count), (number) => table.prefixes.get(number - 1)?.prefix.text);
  // What nobody asked for is only counted.
  const asked = (list: readonly string[]) => list.filter((text) => table.prefixes.find(text) !== undefined);
  if (!isDeepStrictEqual(texts(fast.announced, fast.announcedCount), asked(update.announced)))
    return 'other announced prefixes';
  if (!isDeepStrictEqual(texts(fast.withdrawn, fast.withdrawnCount), asked(update.withdrawn)))
    return 'other withdrawn prefixes';
  const known = fast.announcedCount + fast.withdrawnCount;
  if (known + fast.unmonitored !== update.announced.length + update.withdrawn.length)
    return 'another number of prefixes';
  const { attributes } = update;
  if (fast.announcedCount === 0) return undefined;
  if (attributes === undefined) return 'announced, but without attributes';
  if (table.paths.intern(attributes.asPath, update.vp.asn) !== fast.path) return 'another path';
  const { communities, nextHop, originAttribute } = attributes;
  if (attributeFingerprint(hashText(communities), hashText(nextHop), hashText(originAttribute)) !== fast.fingerprint)
    return 'another fingerprint';
  return undefined;
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
