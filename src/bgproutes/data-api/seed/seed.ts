/**
 * The Data API in the words of somebody who fills a table: the VPs that stream live, what they held for prefixes and all
 * that is inside them, and what they said since.
 */
import { DataApiError } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import type { History, HistoryVp, ListedVp, RibRow, RibRows, UpdateRow, UpdatesOf } from '../../../stream/history.ts';
import { FEW } from '../batches.ts';
import type { DataApiClient } from '../client.ts';
import { DEFAULT_QUOTA } from '../quota.ts';
import { addUnreadable, type Counts, noneUnreadable } from '../rows/vantage-points.ts';
import {
  DAMAGE,
  LIVE_SOURCES,
  type PrefixMatch,
  type RowBatch,
  UNREADABLE_REASONS,
  type Unreadable,
  type VantagePointRecord,
} from '../types.ts';
import { type CoveringFilter, coveringFilters } from './covering-filters.ts';
import { oneAhead } from './one-ahead.ts';

export interface DataApiSeedOptions {
  readonly client: DataApiClient;
  /**
   * More-specifics of a monitored prefix that are known already, in canonical text. Only asked for when the API will not
   * take all VPs in one question for more-specifics.
   */
  readonly knownMoreSpecifics?: (prefix: string) => Iterable<string>;
  readonly log: Logger;
}

type Ask<Row> = (
  vps: readonly ListedVp[],
  prefixes: readonly string[],
  match: PrefixMatch,
  signal: AbortSignal,
) => AsyncGenerator<RowBatch<Row>>;

type Part<Row> = RowBatch<Row> & Pick<RibRows, 'askedInside'>;

/** No vantage point has this address (RFC 5737). */
const NOBODY = '203.0.113.255';

/** More-specifics remembered for one prefix: more than the table holds. */
const MAX_DISCOVERED = 1_000;

/**
 * How more-specifics are asked for: all VPs at once by a filter, prefixes that lie beside or in each other by one. Where the API refuses that (its rule of 10 VPs may hold for
 * filters too), the ten VPs with the largest tables tell which more-specifics there are, and all VPs are asked for these and
 * for those known already. One that neither of them knows is then missing until the stream speaks of it; the answer says which were asked for.
 */
export class DataApiSeed implements History {
  readonly #options: DataApiSeedOptions;
  /** `ENDPOINT PREFIX` for which the filter was refused for many VPs. */
  readonly #refused = new Set<string>();
  readonly #discovered = new Map<string, Set<string>>();

  constructor(options: DataApiSeedOptions) {
    this.#options = options;
  }

  fillShare(prefixes: readonly string[]): number {
    return fillRequests(prefixes) / DEFAULT_QUOTA.requests;
  }

  get clockOffsetMs(): number {
    return this.#options.client.clockOffsetMs;
  }

  /** Asks for as little as can be asked for, so that `clockOffsetMs` is new. */
  async readClock(signal: AbortSignal): Promise<void> {
    await this.#options.client.vantagePoints({ ips: [NOBODY], signal });
  }

  /** VPs of the sources that stream live; history-only sources must not count as visible. */
  async vantagePoints(signal: AbortSignal): Promise<readonly VantagePointRecord[]> {
    const { vantagePoints, unreadable } = await this.#options.client.vantagePoints({ sources: LIVE_SOURCES, signal });
    this.#judge('vantage_points', vantagePoints.length, unreadable);
    return vantagePoints.filter(({ source }) => LIVE_SOURCES.some((live) => live === source.toLowerCase()));
  }

  /** What VPs held at a time (Unix ms). Rejects at its end when more of the answer was unreadable than not. */
  async *rib(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    atMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<Part<RibRow>> {
    const { client } = this.#options;
    yield* this.#read('rib', vps, prefixes, signal, (some, few, match, needed) =>
      client.rib({ vps: some, prefixes: few, match, dateMs: atMs, signal: needed }),
    );
  }

  /** Who held the very prefixes at a time (Unix ms). Rejects at its end when more of the answer was unreadable than not. */
  async *holders(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    atMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<RowBatch<RibRow>> {
    const tally = { rows: 0, unreadable: noneUnreadable() };
    for await (const batch of this.#options.client.rib({ vps, prefixes, dateMs: atMs, communities: false, signal })) {
      tally.rows += batch.rows.length;
      addUnreadable(tally.unreadable, batch.unreadable);
      yield batch;
    }
    this.#judge('rib', tally.rows, tally.unreadable);
  }

  /** What VPs said from one time to another (Unix ms, whole seconds), in order of time for each VP and prefix. */
  async *updates(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    fromMs: number,
    toMs: number,
    signal: AbortSignal,
    of: UpdatesOf = 'all',
  ): AsyncGenerator<RowBatch<UpdateRow>> {
    const { client } = this.#options;
    const ask: Ask<UpdateRow> = (some, few, match, needed) =>
      client.updates({ vps: some, prefixes: few, match, startMs: fromMs, endMs: toMs, signal: needed });
    yield* this.#read('updates', vps, prefixes, signal, ask, of);
  }

  /** All that is asked for, the next question while the answer to the one before is read. */
  async *#read<Row extends RibRow>(
    endpoint: string,
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    signal: AbortSignal,
    ask: Ask<Row>,
    of: UpdatesOf = 'all',
  ): AsyncGenerator<Part<Row>> {
    const tally = { rows: 0, unreadable: noneUnreadable() };
    const exact = (needed: AbortSignal) => ask(vps, prefixes, 'exact', needed);
    const moreSpecifics = coveringFilters(prefixes).map(
      (filter) => (needed: AbortSignal) => this.#moreSpecifics(endpoint, vps, filter, needed, ask),
    );
    const questions = [...(of === 'more_specific' ? [] : [exact]), ...(of === 'exact' ? [] : moreSpecifics)];
    const batches = oneAhead(questions, signal);
    for await (const batch of batches) {
      tally.rows += batch.rows.length;
      addUnreadable(tally.unreadable, batch.unreadable);
      yield batch;
    }
    this.#judge(endpoint, tally.rows, tally.unreadable);
  }

  async *#moreSpecifics<Row extends RibRow>(
    endpoint: string,
    vps: readonly HistoryVp[],
    filter: CoveringFilter,
    signal: AbortSignal,
    ask: Ask<Row>,
  ): AsyncGenerator<Part<Row>> {
    const { prefix, members } = filter;
    const isShared = members.length > 1;
    const question = `${endpoint} ${prefix}`;
    if (!this.#refused.has(question)) {
      try {
        yield* ask(vps, [prefix], 'more_specific', signal);
        return;
      } catch (error) {
        if (!(error instanceof DataApiError) || error.code !== 'BAD_REQUEST' || (vps.length <= FEW && !isShared))
          throw error;
        if (this.#refused.size === 0) {
          this.#options.log.info('the Data API does not take all vantage points in a question for more-specifics', {
            endpoint,
            prefix,
            vantage_points: vps.length,
            detail: error.message,
          });
        }
        this.#refused.add(question);
      }
    }
    if (isShared) {
      for (const member of members) {
        yield* this.#moreSpecifics(endpoint, vps, { prefix: member, members: [member] }, signal, ask);
      }
      return;
    }
    const found = this.#discoveredIn(prefix);
    for await (const batch of ask(largest(vps, prefix), [prefix], 'more_specific', signal)) {
      for (const row of batch.rows) if (found.size < MAX_DISCOVERED) found.add(row.prefix);
    }
    const known = this.#options.knownMoreSpecifics?.(prefix) ?? [];
    const inside = [...new Set([...found, ...known])];
    yield { rows: [], unavailable: [], unreadable: noneUnreadable(), askedInside: [{ of: prefix, prefixes: inside }] };
    yield* ask(vps, inside, 'exact', signal);
  }

  #discoveredIn(prefix: string): Set<string> {
    let found = this.#discovered.get(prefix);
    if (found === undefined) this.#discovered.set(prefix, (found = new Set()));
    return found;
  }

  /** Logs what could not be read. A route that is missing looks like a loss, so an answer of which most could not be read is rejected. */
  #judge(endpoint: string, rows: number, unreadable: Unreadable): void {
    let damage = 0;
    for (const reason of DAMAGE) damage += unreadable[reason];
    if (damage === 0) return;
    const fields: Partial<Counts> = {};
    for (const reason of UNREADABLE_REASONS) if (unreadable[reason] > 0) fields[reason] = unreadable[reason];
    this.#options.log.warn('parts of an answer of the Data API could not be read', { endpoint, rows, ...fields });
    if (damage <= rows) return;
    const message = `Data API, ${endpoint}: ${damage} parts of the answer could not be read, only ${rows} could`;
    throw new DataApiError('INVALID_RESPONSE', message);
  }
}

/**
 * Requests that a short gap costs: the list of VPs, the updates of the prefixes themselves twice, and once those of their
 * more-specifics.
 */
export function fillRequests(prefixes: readonly string[]): number {
  return 1 + 2 * Math.ceil(prefixes.length / FEW) + coveringFilters(prefixes).length;
}

/** The few VPs with the largest tables of the prefix's family: they see most. */
function largest(vps: readonly HistoryVp[], prefix: string): readonly HistoryVp[] {
  const size = (vp: HistoryVp) => (prefix.includes(':') ? vp.ribSizeV6 : vp.ribSizeV4) ?? 0;
  return [...vps].sort((a, b) => size(b) - size(a)).slice(0, FEW);
}
