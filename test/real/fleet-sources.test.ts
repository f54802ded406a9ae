/** What an ingest takes from RIS Live, or from topics of BMP, the fleet shows as one exporter does that has the same source. */
import { Admin, Producer } from '@platformatic/kafka';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { announce, openBmp, peerDown, routeMonitoring, withdraw } from '../kafka/bmp/messages.ts';
import { type FleetSetup, FleetWorld, SINGLE, WAIT } from '../support/fleet-world.ts';
import { KafkaBroker, kafkaPort } from '../support/kafka-broker.ts';

const PREFIXES = [...Array.from({ length: 12 }, (_, i) => `10.0.${i}.0/24`), '10.0.0.0/22', '2001:db8::/32'];
const broker = new KafkaBroker(kafkaPort(5));
let world: FleetWorld;

beforeAll(() => broker.start(), 300_000);
afterEach(() => world.end(), 60_000);
afterAll(() => broker.remove(), 60_000);

/** A fleet of one exporter, with topics of its own. */
async function fleetOf(name: string, setup: Pick<FleetSetup, 'source' | 'isTrusted'>): Promise<FleetWorld> {
  world = new FleetWorld({
    ...{ prefixes: PREFIXES, members: ['member'], partitions: 3, sessionTimeoutS: 30, ...setup },
    connection: () =>
      `brokers: ['${broker.address}'], group: ${name}, events_topic: ${name}.events, state_topic: ${name}.state`,
  });
  await world.begin();
  return world;
}

it('RIS Live: routes, peers that go down and come back, counters included', async () => {
  const { simulator } = await fleetOf('ris', {
    source: ({ websocketUrl, url }) =>
      `sources: [ris-live]\nris_live: {url: "${websocketUrl}/v1/ws/", ripestat_url: "${url}", client: test}`,
  });
  await world.createTopics();
  await world.start('ingest', 'ingest');
  await world.startAll();
  await world.equal();
  const peers = simulator.vantagePoints().filter(({ source, protocol }) => source === 'ris' && protocol === 'bgp');
  expect(peers.length).toBeGreaterThan(2);
  world.churn(500, peers);
  await world.equal();
  const losses = 'bgp_prefix_vp_losses_total{';
  const down = async () =>
    [...(await world.samples(SINGLE, losses))].filter(([series, value]) => series.includes('vp_down') && value !== '0');
  simulator.faults.killVantagePoint(peers[0].key);
  await vi.waitFor(async () => expect((await down()).length).toBeGreaterThan(0), WAIT);
  await world.equal();
  world.churn(500, peers.slice(1));
  await world.equal();
}, 300_000);

it('topics of BMP, as RouteViews has them, counters included', async () => {
  const topic = 'routeviews.linx.64501.bmp_raw';
  const options = { clientId: 'test', bootstrapBrokers: [broker.address], retries: 20, retryDelay: 500 };
  const [admin, producer] = [new Admin(options), new Producer(options)];
  await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 });
  await fleetOf('bmp', {
    source: () => `sources: [kafka]\nkafka: {brokers: ['${broker.address}'], topics: [${topic}]}`,
    // Nobody tells the past.
    isTrusted: false,
  });
  await world.createTopics();
  await world.start('ingest', 'ingest');
  await world.startAll();
  // Both read from the end on.
  const isUp = async (name: string) =>
    (await world.samples(name, 'bgp_stream_up{source="kafka"')).values().next().value;
  await vi.waitFor(async () => expect([await isUp('ingest'), await isUp(SINGLE)]).toEqual(['1', '1']), WAIT);
  const peerOf = (i: number) => ({
    ip: `198.51.100.${1 + (i % 9)}`,
    asn: 64_501 + (i % 9),
    seconds: Math.floor(Date.now() / 1_000),
  });
  const messages = Array.from({ length: 300 }, (_, i) => {
    const [peer, prefix] = [peerOf(i), PREFIXES[(i * 7) % 13]];
    const path = [64_510, peer.asn, 64_600 + (i % 5), 64_500];
    return routeMonitoring(peer, i % 5 === 0 ? withdraw(prefix) : announce([prefix, '192.0.2.0/24'], path));
  });
  messages.push(peerDown(peerOf(3)));
  await producer.send({ messages: messages.map((one) => ({ topic, partition: 1, value: openBmp(one) })) });
  const visible = async () => [...(await world.samples(SINGLE, 'bgp_prefix_visible_vps{')).values()].map(Number);
  await vi.waitFor(async () => expect(Math.max(...(await visible()))).toBeGreaterThan(3), WAIT);
  await world.equal();
  await Promise.all([producer.close(), admin.close()]);
}, 300_000);

it('two sources are refused in a sentence', async () => {
  await fleetOf('two', {
    source: ({ websocketUrl, url }) =>
      `sources: [bgproutes, ris-live]\nbgproutes: {api_keys: [fleet-key-0], websocket_url: "${websocketUrl}", live_manager_url: "${url}", data_api_url: "${url}"}\nris_live: {url: "${websocketUrl}/v1/ws/", ripestat_url: "${url}", client: test}`,
  });
  const { code, text } = await world.run('ingest', `--config.file=${world.configFile('ingest')}`);
  expect([code, text]).toEqual([2, expect.stringContaining('an ingest has one source, got bgproutes, ris-live')]);
}, 60_000);
