/** A fleet on two brokers: the first one of its list does not exist, and one that leads partitions and groups ends. */
import { Consumer } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FleetWorld } from '../support/fleet-world.ts';
import { KafkaBroker, kafkaPort } from '../support/kafka-broker.ts';

const PORT = kafkaPort(3);
/** Longer than it takes until another broker leads, on a busy machine too: nothing may be hidden meanwhile. */
const SESSION_S = 60;
const PREFIXES = [...Array.from({ length: 60 }, (_, i) => `10.0.${i}.0/24`), '10.0.0.0/22', '2001:db8::/32'];

const settings = () => [
  ...['offsets.topic.replication.factor=2', 'broker.session.timeout.ms=3000', 'broker.heartbeat.interval.ms=500'],
];
const first = new KafkaBroker(PORT, settings);
const second = new KafkaBroker(PORT + 2, settings, { nodeId: 2, of: first });
let group = '';
const world = new FleetWorld({
  ...{ prefixes: PREFIXES, members: ['m1', 'm2'], partitions: 12, sessionTimeoutS: SESSION_S },
  connection: () => `brokers: ['127.0.0.1:${PORT + 9}', '${first.address}', '${second.address}'], group: ${group}`,
});

/** The broker that a group's members talk to. */
async function coordinatorOf(groupId: string): Promise<number> {
  const options = { clientId: 'test', bootstrapBrokers: [first.address, second.address] };
  const consumer = new Consumer({ ...options, groupId, retries: 20, retryDelay: 500 });
  try {
    return await consumer.findGroupCoordinator();
  } finally {
    await consumer.close();
  }
}

beforeAll(async () => {
  await first.start();
  await second.start();
  await world.begin();
  // Both groups are the second broker's, so that they lose it.
  for (let i = 0; group === ''; i++) {
    const [members, ingests] = [await coordinatorOf(`fleet-${i}`), await coordinatorOf(`fleet-${i}.ingest`)];
    if (members === 2 && ingests === 2) group = `fleet-${i}`;
  }
}, 300_000);

afterAll(async () => {
  await world.end();
  await second.remove();
  await first.remove();
}, 60_000);

describe.sequential('a fleet on two brokers', () => {
  it('begins although the first broker of its list does not answer', async () => {
    await world.createTopics('--replicas=2');
    const { text } = await world.run('fleet', 'check', `--config.file=${world.configFile('command')}`);
    expect(text).toMatch(/bgp\.events: partitions 12, replicas 2/);
    await world.start('ingest', 'ingest');
    await world.startAll();
    await world.equal();
  }, 300_000);

  it('goes on with the other broker when the one ends that leads its partitions and groups', async () => {
    await world.watchStateWritten();
    const ingest = world.program('ingest');
    await second.kill();
    expect(await world.watchStateWritten()).toBe(0);
    await world.equal();
    // None of them was given up by the group: each has found who leads it now.
    expect(await coordinatorOf(group)).toBe(1);
    for (const name of ['m1', 'm2']) {
      const member = await world.samples(name, 'bgp_fleet_member');
      expect([...member.values()]).toEqual(['1']);
    }
    expect(ingest.child.exitCode).toBeNull();
  }, 300_000);

  it('shows the same when that broker is back', async () => {
    await second.start();
    await world.watchStateWritten();
    await world.equal();
  }, 300_000);
});
