/** Two clients with one key, and services that answer differently where nobody knows what the real one does. */
import { expect, it } from 'vitest';
import { BgproutesLiveClient } from '../../src/bgproutes/client/client.ts';
import type { RunningExporter } from '../../src/exporter.ts';
import type { SimulatorOptions } from '../../src/simulator/contract.ts';
import { until } from '../support/patience.ts';
import { KEY, P4, P6, samples, seeded, tableRoutes, trueRoutes, type World, world } from './world.ts';

const OTHER = '198.51.100.0/24';
const SESSION = '{source="bgproutes",session="0"}';

async function metric(exporter: RunningExporter, name: string): Promise<number | undefined> {
  return (await samples(exporter)).get(name);
}

function someVp(w: World) {
  const [vp] = w.simulator.vantagePoints().filter((one) => one.isLive);
  return vp;
}

/** Takes the list of the key, as `subscribe --force`, the website or an older client does. */
async function takeList(w: World, ...prefixes: string[]): Promise<void> {
  const client = new BgproutesLiveClient({
    apiKey: KEY,
    websocketUrl: w.simulator.websocketUrl,
    liveManagerUrl: w.simulator.url,
  });
  await client.subscribe(prefixes, { force: true });
  await client.close();
}

it('a second exporter with the same key takes nothing from the first: an outage is seen as before', async () => {
  const w = await world({ prefixes: `[{prefix: ${P4}}]` });
  const first = await w.start();
  await seeded(w);
  w.config.prefixes = `[{prefix: ${OTHER}}]`;
  const second = await w.start();
  await until(async () =>
    expect(
      await metric(second, 'bgp_stream_disconnects_total{source="bgproutes",session="0",reason="refused"}'),
    ).toBeGreaterThan(0),
  );
  w.simulator.step({ do: 'outage', prefix: P4, spread: 0 });
  await until(async () => expect(await metric(first, `bgp_prefix_visible_vps{prefix="${P4}"}`)).toBe(0));
  expect(w.simulator.associatedPrefixes(KEY)).toEqual([P4]);
  expect(await metric(first, `bgp_stream_up${SESSION}`)).toBe(1);
  expect(await metric(first, `bgp_stream_subscription_losses_total${SESSION}`)).toBe(0);
  expect(await metric(second, `bgp_stream_up${SESSION}`)).toBe(0);
  expect(second.figures.seeded).toBe(false);
});

it('an exporter whose list another client took is not trusted, takes it back, and reads what it missed', async () => {
  const w = await world({ prefixes: `[{prefix: ${P4}}]` });
  await w.start();
  await seeded(w);
  const vp = someVp(w);
  w.simulator.announce(vp.key, OTHER, { asPath: `${vp.asn} 64500` });
  await takeList(w, OTHER);
  // Nobody hears of this one: the stream of the key carries other prefixes now.
  w.simulator.announce(vp.key, P4, { asPath: `${vp.asn} 64999 64500` });
  const losses = () => metric(w.exporter, `bgp_stream_subscription_losses_total${SESSION}`);
  // Messages of the first seconds may have been under way.
  await until(async () => {
    w.simulator.announce(vp.key, OTHER, { asPath: `${vp.asn} 64777 64500` });
    expect(await losses()).toBe(1);
  });
  await until(() => expect(w.simulator.associatedPrefixes(KEY)).toEqual([P4]));
  await until(async () => expect(await metric(w.exporter, `bgp_stream_up${SESSION}`)).toBe(1));
  await seeded(w);
  await until(() => expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4)));
  expect(await losses()).toBe(1);
  w.simulator.withdraw(vp.key, P4);
  await until(() => expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4)));
});

const SERVICES: readonly Partial<SimulatorOptions>[] = [
  {},
  { acceptsWithoutPrefixes: false },
  { sessionTakesList: false },
  { acceptsWithoutPrefixes: false, sessionTakesList: false },
  { sessionLingerMs: 3_000 },
  { sessionLingerMs: 3_000, sessionTakesList: false, acceptsWithoutPrefixes: false },
];

it.each(SERVICES)('a start, a lost connection and a reload work with a service that has %o', async (service) => {
  const w = await world({ prefixes: `[{prefix: ${P4}}]` }, service);
  // The list of somebody else, from before.
  await takeList(w, '203.0.113.0/24');
  await w.start();
  const equal = async (...prefixes: string[]) => {
    await until(async () => expect(await metric(w.exporter, `bgp_stream_up${SESSION}`)).toBe(1));
    await seeded(w);
    await until(() => expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, ...prefixes)));
  };
  const hears = async (prefix: string) => {
    const vp = someVp(w);
    const name = `bgp_prefix_announcements_total{prefix="${prefix}"}`;
    const before = (await metric(w.exporter, name)) ?? 0;
    w.simulator.announce(vp.key, prefix, { asPath: `${vp.asn} ${64700 + before} 64500` });
    await until(async () => expect(await metric(w.exporter, name)).toBe(before + 1));
  };
  await equal(P4);
  await hears(P4);

  const connects = async () => (await metric(w.exporter, `bgp_stream_connects_total${SESSION}`)) ?? 0;
  const before = await connects();
  w.simulator.faults.cut();
  await until(async () => expect(await connects()).toBeGreaterThan(before));
  await equal(P4);
  await hears(P4);

  w.config.prefixes = `[{prefix: ${P4}}, {prefix: "${P6}"}, {prefix: ${OTHER}}]`;
  await w.exporter.reload();
  await equal(P4, P6, OTHER);
  await hears(OTHER);
  await hears(P4);

  w.config.prefixes = `[{prefix: ${OTHER}}]`;
  await w.exporter.reload();
  await equal(OTHER);
  await hears(OTHER);
  expect(await metric(w.exporter, `bgp_stream_subscription_losses_total${SESSION}`)).toBe(0);
});

it('a service that notices a lost connection late has the exporter back within seconds', async () => {
  const w = await world({ prefixes: `[{prefix: ${P4}}]` }, { sessionLingerMs: 3_000 });
  await w.start();
  await seeded(w);
  w.simulator.faults.cut();
  await until(async () => expect(await metric(w.exporter, `bgp_stream_connects_total${SESSION}`)).toBe(2));
  await seeded(w);
  // How long the exporter chose to wait before each attempt: a second after the loss, five seconds after the refusal.
  const waits = w.logger.values('retry_in_seconds').map(Number);
  expect(waits.length).toBeGreaterThan(1);
  expect(waits.reduce((sum, seconds) => sum + seconds, 0)).toBeLessThan(30);
});
