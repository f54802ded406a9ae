import { expect, it, vi } from 'vitest';
import { DataApiError } from '../../../src/errors.ts';
import type { StatePart } from '../../../src/ris-live/ripestat/client.ts';
import { type RipestatCalls, RipestatHistory } from '../../../src/ris-live/ripestat/history.ts';
import { noneSkipped } from '../../../src/ris-live/ripestat/rows.ts';
import type { HistoryRows, HistoryVp, RibRow, RibRows } from '../../../src/stream/history.ts';
import { ManualTimers } from '../../stream/manual-timers.ts';
import { RecordingLogger } from '../../stream/recording-logger.ts';
import { idle } from '../../support/idle.ts';
import { until } from '../../support/patience.ts';
import { risPeer } from './world.ts';

const NEVER = new AbortController().signal;
const P = '203.0.113.0/24';
const Q = '198.51.100.0/24';
const CONTROL = '193.0.0.0/21';
const PEERS = [risPeer('192.0.2.1', 64496), risPeer('192.0.2.2', 64497, 'rrc04', false)];

/** A service whose newest state is of `newestMs`; it notes what it is asked. */
class Service implements RipestatCalls {
  readonly clockOffsetMs = 0;
  readonly asked: (readonly string[])[] = [];
  readonly times: (number | undefined)[] = [];
  newestMs: number;
  routes: readonly string[] = [P, Q, CONTROL];
  inside: Readonly<Record<string, readonly string[]>> | DataApiError = {};
  relatedAsked = 0;

  constructor(newestMs: number) {
    this.newestMs = newestMs;
  }

  requestsOfDay = 0;
  prefixesOf = (requests: number) => 8 * requests;
  readClock = () => Promise.resolve();
  peers = () => Promise.resolve(PEERS);
  moreSpecifics: RipestatCalls['moreSpecifics'] = (outer) => {
    this.relatedAsked++;
    if (this.inside instanceof DataApiError) return Promise.reject(this.inside);
    return Promise.resolve(this.inside[outer.text] ?? []);
  };

  updates: RipestatCalls['updates'] = (prefix, _, fromMs, toMs) =>
    Promise.resolve(
      PEERS.map(({ vp }) => ({
        vp,
        prefix,
        asPath: `${fromMs}`,
        communities: '',
        timeUs: toMs * 1000,
        kind: 'W' as const,
      })),
    );

  async *state(prefixes: readonly string[], _: unknown, atMs: number | undefined): AsyncGenerator<StatePart> {
    this.asked.push(prefixes);
    this.times.push(atMs);
    for (const prefix of prefixes) {
      const rows = PEERS.map(({ vp }) => ({ vp, prefix, asPath: `${vp.asn} 64500`, communities: '' }));
      const has = this.routes.includes(prefix);
      yield { atMs: atMs ?? this.newestMs, rows: has ? rows : [], skipped: noneSkipped(), prefixes: [prefix] };
    }
  }
}

function world(options: { readonly known?: readonly string[]; readonly fullFeedOnly?: boolean } = {}) {
  const timers = new ManualTimers();
  const service = new Service(timers.now());
  const log = new RecordingLogger();
  const { known = [], fullFeedOnly = false } = options;
  const history = new RipestatHistory({ client: service, knownMoreSpecifics: () => known, fullFeedOnly, timers, log });
  return { timers, service, log, history };
}

type World = ReturnType<typeof world>;

/** Reads a whole RIB; the clock, and with it the service's newest state, moves whenever somebody waits. */
async function rib({ history, timers, service }: World, prefixes: readonly string[], atMs: number): Promise<RibRows[]> {
  const vps = await history.vantagePoints(NEVER);
  const parts: RibRows[] = [];
  let over = false;
  const reading = (async () => {
    for await (const part of history.rib(vps, prefixes, atMs, NEVER)) parts.push(part);
  })().finally(() => {
    over = true;
  });
  reading.catch(() => {});
  while (!over) {
    await idle();
    const nextMs = timers.nextInMs;
    if (nextMs === undefined) continue;
    timers.advance(nextMs);
    service.newestMs += nextMs;
  }
  await reading;
  return parts;
}

const rowsOf = (parts: readonly HistoryRows<RibRow>[]) =>
  parts.flatMap(({ rows }) => rows.map(({ prefix, vp }) => `${prefix} ${vp.asn}`));
const bothPeers = (prefix: string) => [`${prefix} 64496`, `${prefix} 64497`];

it('the state is asked for again until it is as new as it must be, and first with one prefix', async () => {
  const seen = world();
  const { timers, service } = seen;
  service.newestMs = timers.now() - 120_000;
  const parts = await rib(seen, [P, Q], timers.now());
  expect(rowsOf(parts)).toEqual([...bothPeers(P), ...bothPeers(Q)]);
  // Each wait is of 75 s by the chance of these timers.
  expect(service.asked).toEqual([[P], [P], [P], [Q]]);
  expect(service.times).toEqual([undefined, undefined, undefined, undefined]);
});

it('more-specifics are those of the table and those that are related, which are asked for once a day when there were many requests', async () => {
  const seen = world({ known: ['203.0.113.0/25'] });
  const { timers, service } = seen;
  service.requestsOfDay = 500;
  service.inside = { [P]: ['203.0.113.128/25'] };
  service.newestMs += 60_000;
  const parts = await rib(seen, [P], timers.now());
  expect(service.asked.flat()).toEqual([P, '203.0.113.0/25', '203.0.113.128/25']);
  // Another one may be announced all the same: that it is not in the answer says nothing.
  expect(parts.flatMap(({ askedInside = [] }) => askedInside)).toEqual([
    { of: P, prefixes: ['203.0.113.0/25', '203.0.113.128/25'] },
  ]);
  timers.advance(86_000_000);
  service.newestMs += 86_000_000;
  await rib(seen, [P], timers.now());
  expect(service.relatedAsked).toBe(1);
  timers.advance(1_000_000);
  service.newestMs += 1_000_000;
  await rib(seen, [P], timers.now());
  expect(service.relatedAsked).toBe(2);
});

it('a service that tells no related prefixes keeps no table from being complete, and is told of once', async () => {
  const seen = world();
  seen.service.inside = new DataApiError('SERVER_ERROR', 'RIPEstat, related-prefixes: HTTP status 500');
  seen.service.newestMs += 60_000;
  expect(rowsOf(await rib(seen, [P, Q], seen.timers.now()))).toEqual([...bothPeers(P), ...bothPeers(Q)]);
  expect(seen.log.lines.map(({ level }) => level)).toEqual(['warn']);
});

it('where no prefix has routes, one that always has some shows whether the service has data', async () => {
  const seen = world();
  seen.service.routes = [CONTROL];
  seen.service.newestMs += 60_000;
  expect(rowsOf(await rib(seen, [P], seen.timers.now()))).toEqual([]);
  expect(seen.service.asked.flat()).toEqual([P, CONTROL]);
  seen.service.routes = [P];
  await rib(seen, [P, Q], seen.timers.now());
  expect(seen.service.asked.flat()).toEqual([P, CONTROL, P, Q]);
  seen.service.routes = [];
  await expect(rib(seen, [P], seen.timers.now())).rejects.toMatchObject({ code: 'INVALID_RESPONSE' });
});

it('rows of VPs that were not asked for are left out', async () => {
  const { history, timers, service } = world();
  service.newestMs += 60_000;
  const vps = (await history.vantagePoints(NEVER)).slice(1);
  const parts: HistoryRows<RibRow>[] = [];
  for await (const part of history.rib(vps, [P], timers.now(), NEVER)) parts.push(part);
  expect(rowsOf(parts)).toEqual([`${P} 64497`]);
});

it('vantage points are peers; RIPE says who has a full table', async () => {
  const list = async (seen: World): Promise<readonly HistoryVp[]> => seen.history.vantagePoints(NEVER);
  expect(await list(world())).toMatchObject([
    { id: 'rrc00 192.0.2.1 64496', status: 'up', ribSizeV4: 1_000_000, ribSizeV6: 250_000 },
    { id: 'rrc04 192.0.2.2 64497', status: 'up', ribSizeV4: 799_999, ribSizeV6: 149_999 },
  ]);
  expect((await list(world({ fullFeedOnly: true }))).map(({ vp }) => vp.asn)).toEqual([64496]);
});

it('who held a prefix a window ago is asked with that time; a state of another day is refused', async () => {
  const { history, timers, service } = world();
  const vps = await history.vantagePoints(NEVER);
  const atMs = timers.now() - 86_400_000;
  const parts: HistoryRows<RibRow>[] = [];
  for await (const part of history.holders(vps, [P], atMs, NEVER)) parts.push(part);
  expect(rowsOf(parts)).toEqual(bothPeers(P));
  expect(service.times).toEqual([atMs]);
  vi.spyOn(service, 'state').mockImplementation(async function* () {
    yield { atMs: timers.now(), rows: [], skipped: noneSkipped(), prefixes: [P] };
  });
  await expect(history.holders(vps, [P], atMs, NEVER).next()).rejects.toMatchObject({ code: 'INVALID_RESPONSE' });
});

it('who gives up while a newer state is waited for gets the reason of the signal', async () => {
  const { history, timers, service } = world();
  service.newestMs -= 60_000;
  const vps = await history.vantagePoints(NEVER);
  const giveUp = new AbortController();
  const reading = history.rib(vps, [P], timers.now(), giveUp.signal).next();
  await until(() => expect(timers.nextInMs).toBeDefined());
  giveUp.abort();
  await expect(reading).rejects.toBe(giveUp.signal.reason);
});

it('what was said in between is asked for prefix by prefix', async () => {
  const { history } = world();
  const vps = (await history.vantagePoints(NEVER)).slice(0, 1);
  const found: string[] = [];
  for await (const { rows } of history.updates(vps, [P, Q], 1, 2, NEVER))
    for (const { prefix, vp, timeUs, kind } of rows) found.push(`${kind} ${prefix} ${vp.asn} ${timeUs}`);
  expect(found).toEqual([`W ${P} 64496 2000`, `W ${Q} 64496 2000`]);
});

it('a day of comparisons takes half of the requests that RIPE NCC wants to hear of', () => {
  expect(world().history.comparedADay).toBe(4_000);
});

it('asks one prefix first only until it knows how far the service is', async () => {
  const w = world();
  await rib(w, [P, Q], w.timers.now());
  const before = w.service.asked.length;
  await rib(w, [P, Q], w.timers.now() - 60_000);
  expect(w.service.asked.slice(before)).toEqual([[P, Q]]);
});

it('a more-specific that appeared since the list was read is found, while few requests were made within the day', async () => {
  const w = world();
  const inside = '203.0.113.128/25';
  const found = async () => {
    w.timers.advance(60_000);
    w.service.newestMs = w.timers.now();
    const parts = await rib(w, [P], w.timers.now() - 30_000);
    return w.service.asked.at(-1)?.includes(inside) === true && parts.length > 0;
  };
  expect(await found()).toBe(false);
  w.service.inside = { [P]: [inside] };
  w.service.requestsOfDay = 500;
  expect(await found()).toBe(false);
  w.service.requestsOfDay = 0;
  expect(await found()).toBe(true);
});
