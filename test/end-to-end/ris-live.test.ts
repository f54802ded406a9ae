/** RIS Live and RIPEstat instead of bgproutes.io: no key, and the same numbers. */
import { expect, it } from 'vitest';
import { until } from '../support/patience.ts';
import { P4, P6, samples, seeded, tableRoutes, trueRoutes, type World, world } from './world.ts';

const UP = 'bgp_stream_up{source="ris-live",session="0"}';
const visible = (prefix: string) => `bgp_prefix_visible_vps{prefix="${prefix}"}`;
const trusted = (prefix: string) => `bgp_prefix_trusted{prefix="${prefix}"}`;
const losses = (prefix: string, reason: string) => `bgp_prefix_vp_losses_total{prefix="${prefix}",reason="${reason}"}`;

async function risWorld(settings = '', simulation: Parameters<typeof world>[1] = {}): Promise<World> {
  const w = await world({}, simulation);
  const { websocketUrl, url } = w.simulator;
  w.config.more = `sources: [ris-live]\nris_live: {url: "${websocketUrl}/v1/ws/", ripestat_url: "${url}", client: test${settings}}`;
  return w;
}

function peers({ simulator }: World) {
  return simulator.vantagePoints().filter(({ source, protocol }) => source === 'ris' && protocol === 'bgp');
}

/** Peers that hold the prefix. */
function holders(w: World, prefix: string) {
  const held = trueRoutes(w.simulator, prefix);
  return peers(w).filter(({ key }) => held.some((line) => line.startsWith(`${key} |`)));
}

/** The truth as far as RIS hears it. */
function risRoutes(w: World, ...prefixes: string[]): string[] {
  const keys = new Set(peers(w).map(({ key }) => key));
  return trueRoutes(w.simulator, ...prefixes).filter((line) => keys.has(line.split(' | ')[0]));
}

async function isTrue(w: World, ...prefixes: string[]): Promise<void> {
  await until(() => expect(tableRoutes(w.exporter.table)).toEqual(risRoutes(w, ...prefixes)));
}

it('the table is that of the peers, and follows what they say', async () => {
  const w = await risWorld();
  await w.start();
  await seeded(w);
  expect(risRoutes(w, P4, P6).length).toBeGreaterThan(10);
  expect(risRoutes(w, P4, P6).length).toBeLessThan(trueRoutes(w.simulator, P4, P6).length);
  expect(tableRoutes(w.exporter.table)).toEqual(risRoutes(w, P4, P6));
  const now = await samples(w.exporter);
  expect(now.get(UP)).toBe(1);
  expect([now.get(trusted(P4)), now.get(trusted(P6))]).toEqual([1, 1]);

  const [one, other] = holders(w, P4);
  w.simulator.announce(one.key, [P4, '192.23.62.128/25'], { asPath: `${one.asn} 64777 {64501,64502}` });
  w.simulator.withdraw(other.key, [P4, P6]);
  await isTrue(w, P4, P6, '192.23.62.128/25');
  expect(w.exporter.ready().ok).toBe(true);
});

it('what happened in a gap is healed; that the service is behind, or silent, is a gap', async () => {
  const w = await risWorld(', stale_after: 20s');
  await w.start();
  await seeded(w);
  for (const fault of ['cut', 'behind', 'silent'] as const) {
    w.simulator.faults.risLive(fault);
    await until(async () => expect((await samples(w.exporter)).get(trusted(P4))).toBe(0));
    const [one, two] = holders(w, P4);
    const [three] = holders(w, P6);
    w.simulator.withdraw(one.key, P4);
    w.simulator.announce(two.key, P4, { asPath: `${two.asn} 64778 64500` });
    w.simulator.announce(three.key, P6, { asPath: `${three.asn} 64779 64500` });
    w.simulator.faults.clear();
    await seeded(w);
    expect(tableRoutes(w.exporter.table)).toEqual(risRoutes(w, P4, P6));
    w.simulator.announce(one.key, P4, { asPath: `${one.asn} 64500` });
    await isTrue(w, P4, P6);
  }
});

it('a peer that goes down leaves at once by its own reason, and comes back with its routes', async () => {
  const w = await risWorld();
  await w.start();
  await seeded(w);
  const [peer] = holders(w, P4);
  const before = (await samples(w.exporter)).get(visible(P4)) ?? 0;
  expect(before).toBeGreaterThan(2);
  w.simulator.faults.killVantagePoint(peer.key);
  await until(async () => expect((await samples(w.exporter)).get(visible(P4))).toBe(before - 1));
  const now = await samples(w.exporter);
  expect(now.get(losses(P4, 'vp_down'))).toBe(1);
  expect(now.get(losses(P4, 'withdrawn'))).toBe(0);
  w.simulator.faults.reviveVantagePoint(peer.key);
  await until(async () => expect((await samples(w.exporter)).get(visible(P4))).toBe(before));
  await isTrue(w, P4, P6);
});

it('a history that answers empty states says nothing, and empties nothing', async () => {
  const w = await risWorld();
  await w.start();
  await seeded(w);
  const before = tableRoutes(w.exporter.table);
  w.simulator.faults.emptyRipestat();
  w.simulator.faults.risLive('cut');
  await until(async () =>
    expect((await samples(w.exporter)).get('bgp_table_seeds_total{result="invalid"}')).toBeGreaterThan(0),
  );
  expect(tableRoutes(w.exporter.table)).toEqual(before);
  expect((await samples(w.exporter)).get(trusted(P4))).toBe(0);
  w.simulator.faults.clear();
  await seeded(w);
  expect(tableRoutes(w.exporter.table)).toEqual(before);
});

it('a history that lags is waited for, and what the stream says meanwhile counts', async () => {
  const w = await risWorld('', { dataApiLagMs: 60_000 });
  await w.start();
  await until(async () => expect((await samples(w.exporter)).get(UP)).toBe(1));
  const [one] = holders(w, P4);
  const [two] = holders(w, P6);
  w.simulator.announce(one.key, P4, { asPath: `${one.asn} 64777 64500` });
  w.simulator.withdraw(two.key, P6);
  expect(w.exporter.figures.seeded).toBe(false);
  await seeded(w);
  expect(tableRoutes(w.exporter.table)).toEqual(risRoutes(w, P4, P6));
});

it('prefixes come and go by a reload, on the connection that is there', async () => {
  const w = await risWorld();
  const more = '203.0.113.0/24';
  await w.start();
  await seeded(w);
  w.config.prefixes = `[{prefix: ${P4}}, {prefix: ${more}}]`;
  await w.exporter.reload();
  await seeded(w);
  expect(tableRoutes(w.exporter.table)).toEqual(risRoutes(w, P4, more));
  expect((await samples(w.exporter)).get('bgp_stream_connects_total{source="ris-live",session="0"}')).toBe(1);
});

it('only peers with a full table count where that is asked for', async () => {
  const w = await risWorld(', full_feed_only: true');
  const [some] = peers(w);
  await w.start();
  await seeded(w);
  const full = new Set(
    peers(w)
      .filter(({ style }) => style.fullFeed)
      .map(({ key }) => key),
  );
  const expected = () => risRoutes(w, P4, P6).filter((line) => full.has(line.split(' | ')[0]));
  expect(expected().length).toBeLessThan(risRoutes(w, P4, P6).length + 1);
  expect(tableRoutes(w.exporter.table)).toEqual(expected());
  const partial = peers(w).find(({ style }) => !style.fullFeed) ?? some;
  w.simulator.announce(partial.key, P4, { asPath: `${partial.asn} 64500` });
  w.simulator.announce([...full][0], P4, { asPath: '64496 64777 64500' });
  await until(() => expect(tableRoutes(w.exporter.table)).toEqual(expected()));
});

it('a service that takes one prefix on a connection gets two connections, whose messages count once', async () => {
  const w = await risWorld();
  w.simulator.faults.risLiveRoom(5); // four are not about prefixes
  await w.start();
  await seeded(w);
  const count = async (name: string) => (await samples(w.exporter)).get(`${name}{source="ris-live",session="0"}`);
  expect(await count('bgp_stream_connections')).toBe(2);
  expect(await count('bgp_stream_subscribed_prefixes')).toBe(2);
  expect(tableRoutes(w.exporter.table)).toEqual(risRoutes(w, P4, P6));
  const both = peers(w).find(({ key }) => [P4, P6].every((prefix) => holders(w, prefix).some((vp) => vp.key === key)))!;
  w.simulator.withdraw(both.key, [P4, P6]);
  w.simulator.faults.risLive('cut');
  await until(async () => expect((await samples(w.exporter)).get(trusted(P4))).toBe(0));
  const [one] = holders(w, P4);
  w.simulator.announce(one.key, P4, { asPath: `${one.asn} 64778 64500` });
  await seeded(w);
  await isTrue(w, P4, P6);
  expect(await count('bgp_stream_connections')).toBe(2);
});
