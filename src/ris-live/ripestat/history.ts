/**
 * RIPEstat as the history of RIS Live. It tells what the peers of RIS held at a time of the service's own choice, a few
 * minutes back, so a question about a time waits until the service has come that far.
 */
import { type Prefix, parsePrefix } from '../../bgp/prefix.ts';
import { type VantagePoint, vantagePointKey } from '../../bgp/vantage-point.ts';
import { DataApiError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { AskedInside, History, HistoryRows, HistoryVp, RibRow, RibRows, UpdateRow } from '../../stream/history.ts';
import { sleep, type Timers } from '../../stream/timers.ts';
import { REQUESTS_A_DAY, type RipestatClient, type StatePart } from './client.ts';
import { PeerIndex, type RisPeer } from './rows.ts';

/** Between two questions for a newer state, ms: at first what is missing, then longer and longer; plus up to half of it by chance. */
const SHORTEST_POLL_MS = 5_000;
const LONGEST_POLL_MS = 60_000;

/** Clocks of the collectors and of RIPEstat differ a little, ms. */
const OVERLAP_MS = 5_000;

/** How far the state of a past time may be from the time that was asked for, ms: tables are dumped every 8 hours. */
const MAX_DISTANCE_MS = 8 * 3_600_000;

/** How long a list of more-specifics is good at most, ms. Those that appear later are heard on the stream. */
const RELATED_MS = 86_400_000;

/** Announced all the time, by RIPE NCC itself: an answer without it says that the service has no data. */
const CONTROL = '193.0.0.0/21';

/** What a peer with a full table counts as, where the list says so and not how many prefixes it has. */
const FULL_TABLE = { ipv4: 1_000_000, ipv6: 250_000 } as const;

export interface RipestatHistoryOptions {
  readonly client: RipestatCalls;
  /** More-specifics of a monitored prefix that the table has, canonical. */
  readonly knownMoreSpecifics?: (prefix: string) => Iterable<string>;
  /** Only peers with a full table are listed. Default false. */
  readonly fullFeedOnly?: boolean;
  readonly timers: Timers;
  readonly log: Logger;
}

/** What of the client is needed. */
export type RipestatCalls = Pick<
  RipestatClient,
  'clockOffsetMs' | 'prefixesOf' | 'requestsOfDay' | 'readClock' | 'peers' | 'moreSpecifics' | 'state' | 'updates'
>;

interface Related {
  readonly prefixes: readonly string[];
  /** By `elapsed`. */
  readonly readAtMs: number;
  /** The time of the service's newest state at that moment, Unix ms. */
  readonly asOfMs: number;
}

/** Every call rejects with a `DataApiError`, or with the reason of the signal. */
export class RipestatHistory implements History {
  readonly title = 'RIPEstat';
  readonly ribWaits = true;
  readonly provesEmptiness = true;
  readonly #options: RipestatHistoryOptions;
  #peers: PeerIndex | undefined;
  /** By `vantagePointKey`. */
  #listed: ReadonlySet<string> | undefined;
  readonly #related = new Map<string, Related>();
  #toldNoRelated = false;
  /** The time of the newest state that the service has told, Unix ms. It does not go back. */
  #newestMs = 0;

  constructor(options: RipestatHistoryOptions) {
    this.#options = options;
  }

  /**
   * Comparisons may use half of the daily requests above which RIPE NCC wants to be told; starts, gaps and the list of peers take
   * the rest.
   */
  get comparedADay(): number {
    return this.#options.client.prefixesOf(REQUESTS_A_DAY / 2);
  }

  get clockOffsetMs(): number {
    return this.#options.client.clockOffsetMs;
  }

  readClock(signal: AbortSignal): Promise<void> {
    return this.#options.client.readClock(signal);
  }

  /** Whether the newest list has the peer; any peer before there is a list. */
  isListed(vp: VantagePoint): boolean {
    return this.#listed?.has(vantagePointKey(vp)) !== false;
  }

  /** The peers that rrc-info lists. One that announces nothing now is `unknown`: it may do so again. */
  async vantagePoints(signal: AbortSignal): Promise<readonly HistoryVp[]> {
    const peers = await this.#readPeers(signal);
    return peers.map((peer) => ({
      id: peer.id,
      vp: peer.vp,
      status: peer.prefixes.ipv4 + peer.prefixes.ipv6 > 0 ? 'up' : 'unknown',
      ribSizeV4: tableSize(peer, 'ipv4'),
      ribSizeV6: tableSize(peer, 'ipv6'),
      country: peer.country,
      source: 'ris',
    }));
  }

  /**
   * What the VPs held for the prefixes and their more-specifics, at `atMs` or a little later: never before. Waits, asking
   * again each minute or two, until the service has a state of that time.
   */
  async *rib(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    atMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<RibRows> {
    const { timers } = this.#options;
    const peers = this.#peers ?? new PeerIndex(await this.#readPeers(signal));
    const asked = new Set(vps.map(({ vp }) => vantagePointKey(vp)));
    const neededMs = atMs + OVERLAP_MS;
    let hasRoutes = false;
    // Until one prefix shows that the state is new enough, the others are not asked for.
    let waiting: readonly string[] = [...new Set(prefixes)];
    let inner: readonly string[] | undefined;
    let waitMs = 0;
    for (let isReady = this.#newestMs >= neededMs; ; ) {
      if (isReady && inner === undefined) {
        // The list of more-specifics is as old as the service's other answers.
        const askedInside = await this.#moreSpecifics(prefixes, neededMs, signal);
        yield { rows: [], unavailable: [], askedInside };
        inner = askedInside.flatMap(({ prefixes }) => prefixes);
        waiting = [...new Set([...waiting, ...inner.filter((prefix) => !prefixes.includes(prefix))])];
      }
      if (waiting.length === 0 && inner !== undefined) break;
      const old: string[] = [];
      let missingMs = 0;
      const some = isReady ? waiting : waiting.slice(0, 1);
      const rest = isReady ? [] : waiting.slice(1);
      isReady = true;
      for await (const part of this.#options.client.state(some, peers, undefined, signal)) {
        this.#newestMs = Math.max(this.#newestMs, part.atMs);
        if (part.atMs < neededMs) {
          old.push(...part.prefixes);
          missingMs = Math.max(missingMs, neededMs - part.atMs);
          isReady = false;
          continue;
        }
        if (part.rows.length > 0) hasRoutes = true;
        yield rowsOf(part, asked);
      }
      waiting = [...old, ...rest];
      if (old.length === 0) continue;
      waitMs = Math.min(LONGEST_POLL_MS, Math.max(SHORTEST_POLL_MS, missingMs, 2 * waitMs));
      await sleep(timers, waitMs * (1 + timers.random() / 2), signal);
      signal.throwIfAborted();
    }
    if (!hasRoutes) await this.#checkData(peers, signal);
  }

  /** Who of the VPs held these very prefixes at a time. */
  async *holders(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    atMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<HistoryRows<RibRow>> {
    const peers = this.#peers ?? new PeerIndex(await this.#readPeers(signal));
    const asked = new Set(vps.map(({ vp }) => vantagePointKey(vp)));
    for await (const part of this.#options.client.state(prefixes, peers, atMs, signal)) {
      if (Math.abs(part.atMs - atMs) > MAX_DISTANCE_MS)
        throw new DataApiError('INVALID_RESPONSE', 'RIPEstat, bgp-state: the state of another time than was asked for');
      yield rowsOf(part, asked);
    }
  }

  /** What VPs said about these very prefixes in between. More-specifics are not asked for. */
  async *updates(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    fromMs: number,
    toMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<HistoryRows<UpdateRow>> {
    const peers = this.#peers ?? new PeerIndex(await this.#readPeers(signal));
    const asked = new Set(vps.map(({ vp }) => vantagePointKey(vp)));
    for (const prefix of prefixes) {
      const rows = await this.#options.client.updates(prefix, peers, fromMs, toMs, signal);
      yield { rows: rows.filter(({ vp }) => asked.has(vantagePointKey(vp))), unavailable: [] };
    }
  }

  async #readPeers(signal: AbortSignal): Promise<readonly RisPeer[]> {
    const { client, fullFeedOnly = false } = this.#options;
    const all = await client.peers(signal);
    const peers = fullFeedOnly ? all.filter(({ fullFeed }) => fullFeed.ipv4 || fullFeed.ipv6) : all;
    this.#peers = new PeerIndex(peers);
    this.#listed = new Set(peers.map(({ vp }) => vantagePointKey(vp)));
    return peers;
  }

  /**
   * The more-specifics that the table has, and those that RIPEstat relates to the prefixes. One that was announced while the stream was away
   * is only there, so the list is read again for each time that is newer, while few requests were made within the day.
   */
  async #moreSpecifics(
    prefixes: readonly string[],
    atMs: number,
    signal: AbortSignal,
  ): Promise<readonly AskedInside[]> {
    const { client, knownMoreSpecifics = () => [], timers, log } = this.#options;
    const isCheap = client.requestsOfDay + prefixes.length <= REQUESTS_A_DAY / 2;
    return Promise.all(
      prefixes.map(async (text) => {
        const known = [...knownMoreSpecifics(text)];
        const related = this.#related.get(text);
        const isGood = related !== undefined && timers.elapsed() - related.readAtMs < RELATED_MS;
        if (isGood && (related.asOfMs >= atMs || !isCheap))
          return { of: text, prefixes: [...known, ...related.prefixes] };
        try {
          const inside = await client.moreSpecifics(prefixOf(text), signal);
          this.#related.set(text, { prefixes: inside, readAtMs: timers.elapsed(), asOfMs: this.#newestMs });
          return { of: text, prefixes: [...known, ...inside] };
        } catch (error) {
          if (signal.aborted) throw error;
          // Without them the table still counts as complete: the stream tells each more-specific when it changes.
          if (!this.#toldNoRelated) {
            this.#toldNoRelated = true;
            const text = error instanceof Error ? error.message : String(error);
            log.warn('RIPEstat does not tell the more-specifics: they are shown when the stream reports them', {
              error: text,
            });
          }
          return { of: text, prefixes: [...known, ...(related?.prefixes ?? [])] };
        }
      }),
    );
  }

  /** An empty answer with the status `ok` may mean that the service has lost its data, as it did for hours in 2020. */
  async #checkData(peers: PeerIndex, signal: AbortSignal): Promise<void> {
    for await (const part of this.#options.client.state([CONTROL], peers, undefined, signal))
      if (part.rows.length > 0) return;
    throw new DataApiError('INVALID_RESPONSE', `RIPEstat, bgp-state: no routes, not even of ${CONTROL}`);
  }
}

function rowsOf(part: StatePart, asked: ReadonlySet<string>): HistoryRows<RibRow> {
  return { rows: part.rows.filter(({ vp }) => asked.has(vantagePointKey(vp))), unavailable: [] };
}

function tableSize(peer: RisPeer, afi: 'ipv4' | 'ipv6'): number {
  return peer.fullFeed[afi]
    ? Math.max(peer.prefixes[afi], FULL_TABLE[afi])
    : Math.min(peer.prefixes[afi], NOT_FULL[afi]);
}

/** RIPE's word on who has a full table counts, whatever the sizes. */
const NOT_FULL = { ipv4: 799_999, ipv6: 149_999 } as const;

/** The prefix of a text that the configuration has checked before. */
function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new TypeError(`expected a prefix, got ${text}`);
  return prefix;
}
