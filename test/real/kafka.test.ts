/** A real Kafka broker: topics come and go, the broker dies and comes back, and every login over TLS. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Admin, Producer } from '@platformatic/kafka';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { type RunningExporter, startExporter } from '../../src/exporter.ts';
import { P4, P6, samples, seeded, tableRoutes, trueRoutes, world } from '../end-to-end/world.ts';
import { announce, openBmp, peerDown, routeMonitoring, withdraw } from '../kafka/bmp/messages.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { KafkaBroker, kafkaPort } from '../support/kafka-broker.ts';
import { loginProperties, makeScramUser } from '../support/kafka-login.ts';

const PORT = kafkaPort(0);
const P = '192.0.2.0/24';
const WAIT = { timeout: 120_000, interval: 100 };

let properties: readonly string[] = [];
const broker = new KafkaBroker(PORT, () => properties);
const { folder } = broker;
const plain = `127.0.0.1:${PORT}`;
const login = `127.0.0.1:${PORT + 2}`;
const mutual = `127.0.0.1:${PORT + 3}`;

let admin: Admin;
let producer: Producer;
let exporter: RunningExporter | undefined;

beforeAll(async () => {
  writeFileSync(join(folder, 'password'), 'secret\n');
  writeFileSync(join(folder, 'wrong'), 'wrong\n');
  properties = loginProperties(folder, { plain: PORT, login: PORT + 2, mutual: PORT + 3 }, 'secret');
  await broker.start();
  const options = { clientId: 'test', bootstrapBrokers: [plain], retries: 20, retryDelay: 500 };
  admin = new Admin(options);
  producer = new Producer(options);
});

afterEach(async () => {
  await exporter?.stop();
  exporter = undefined;
});

afterAll(async () => {
  await Promise.allSettled([producer?.close(), admin?.close()]);
  await broker.remove();
});

let logger = new RecordingLogger();

async function start(kafka: string): Promise<RunningExporter> {
  const yaml = `{sources: [kafka], prefixes: [{prefix: ${P}}], web: {listen_address: '127.0.0.1:0'}, kafka: ${kafka}}`;
  const file = join(folder, 'bgp.yml');
  writeFileSync(file, yaml);
  const config = loadConfig({ flags: { 'config.file': file }, env: {} });
  const version = { version: '0', revision: 'test', nodeVersion: '0' };
  logger = new RecordingLogger();
  exporter = await startExporter(config, { logger, version });
  return exporter;
}

const value = async (name: string) => (await samples(exporter as RunningExporter)).get(name);
const until = (name: string, expected: number | undefined) =>
  vi.waitFor(async () => expect([name, await value(name)]).toEqual([name, expected]), WAIT);
const UP = 'bgp_stream_up{source="kafka",session="0"}';
const VISIBLE = `bgp_prefix_visible_vps{prefix="${P}"}`;

function route(last: number, ...path: number[]): Buffer {
  const peer = { ip: `198.51.100.${last}`, asn: 64_500 + last, seconds: Math.floor(Date.now() / 1_000) };
  return openBmp(routeMonitoring(peer, announce([P], [peer.asn, ...path])));
}

async function send(
  topic: string,
  values: readonly Buffer[],
  compression: 'none' | 'gzip' | 'snappy' | 'lz4' = 'none',
) {
  await producer.send({ messages: values.map((one) => ({ topic, partition: 0, value: one })), compression });
}

describe('an exporter that reads Kafka', () => {
  it('follows topics that come, go and are cut off with their broker', async () => {
    const [first, second] = ['routeviews.linx.64501.bmp_raw', 'routeviews.amsix.ams.64503.bmp_raw'];
    await admin.createTopics({ topics: [first, 'unrelated'], partitions: 2, replicas: 1 });
    await send(first, [route(9)]);
    await start(`{brokers: ['${plain}']}`);
    await until(UP, 1);
    for (const compression of ['none', 'gzip', 'snappy', 'lz4'] as const)
      await send(first, [route(1), route(2)], compression);
    await until(VISIBLE, 2);
    await until('bgp_stream_frames_total{source="kafka",session="0"}', 8);
    await until(`bgp_stream_lag_records{source="kafka",session="0",topic="${first}",partition="0"}`, 0);
    await send(first, [openBmp(peerDown({ ip: '198.51.100.2', asn: 64_502 }))]);
    await until(`bgp_prefix_vp_losses_total{prefix="${P}",reason="vp_down"}`, 1);

    await broker.kill();
    await until(UP, 0);
    await broker.start();
    await send(first, [route(1), route(4)]);
    await until(UP, 1);
    // What was sent while the exporter was cut off, and nothing twice.
    await until(VISIBLE, 2);
    expect(await value(`bgp_prefix_visible_vps{prefix="${P}"}`)).toBe(2);
    await until('bgp_stream_frames_total{source="kafka",session="0"}', 11);

    await admin.createTopics({ topics: [second], partitions: 1, replicas: 1 });
    await send(second, [route(3)]);
    await until(VISIBLE, 3);
    await admin.deleteTopics({ topics: [second] });
    await until(VISIBLE, 2);
    // Nobody tells the past: absence is never trusted.
    expect(await value(`bgp_prefix_trusted{prefix="${P}"}`)).toBe(0);
  });

  it('reads what a broker compresses, which is written in Java', async () => {
    const compressions = ['gzip', 'snappy', 'lz4'] as const;
    for (const compression of compressions) {
      const configs = [{ name: 'compression.type', value: compression }];
      await admin.createTopics({ topics: [`java-${compression}`], partitions: 1, replicas: 1, configs });
    }
    await start(`{brokers: ['${plain}'], topics: ['^java-.*']}`);
    await until(UP, 1);
    for (const [i, compression] of compressions.entries()) {
      // Enough for more than one of the blocks of 32 KiB in which Java compresses.
      await send(`java-${compression}`, [...Array.from({ length: 500 }, () => route(10 + i)), route(20 + i)]);
      await until(VISIBLE, 2 * (i + 1));
    }
    await until('bgp_stream_frames_total{source="kafka",session="0"}', 3 * 501);
  });

  it('has the Data API as its history: the table is complete, and trusted', async () => {
    const topic = 'with-history';
    await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
    // In real time, because the records are stamped with it.
    const w = await world(
      { more: `sources: [kafka]\nkafka: {brokers: ['${plain}'], topics: [${topic}], history: data-api}` },
      {},
      1,
    );
    const vps = w.simulator
      .vantagePoints()
      .filter(({ protocol }) => protocol === 'bgp')
      .slice(0, 3);
    for (const { key, asn } of vps) w.simulator.announce(key, P4, { asPath: `${asn} 64500` });
    await w.start();
    await seeded(w);
    await vi.waitFor(() => expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6)), WAIT);
    expect(tableRoutes(w.exporter.table).length).toBe(3);
    const trusted = async () => (await samples(w.exporter)).get(`bgp_prefix_trusted{prefix="${P4}"}`);
    await vi.waitFor(async () => expect(await trusted()).toBe(1), WAIT);
    // What a VP that the history knows says over Kafka is about that VP.
    const [vp] = vps;
    // Whole seconds, rounded up: a stamp from before the state that the history gave would be older than the route.
    const peer = { ip: vp.ip, asn: vp.asn, seconds: Math.ceil(Date.now() / 1_000) };
    await send(topic, [openBmp(routeMonitoring(peer, withdraw(P4)))]);
    await vi.waitFor(
      async () => expect((await samples(w.exporter)).get(`bgp_prefix_visible_vps{prefix="${P4}"}`)).toBe(2),
      WAIT,
    );
  });

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'logs in over TLS by %s, and says when it may not',
    async (mechanism) => {
      const topic = `routers-${mechanism}`;
      await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
      if (mechanism !== 'plain') await makeScramUser(PORT, mechanism, 'bob', 'secret');
      const sasl = (password: string) => `{mechanism: ${mechanism}, username: bob, password_file: ${password}}`;
      const connection = (password: string) =>
        `{brokers: ['${login}'], topics: [${topic}], tls: {ca_file: ca.pem}, sasl: ${sasl(password)}}`;
      await start(connection('password'));
      await until(UP, 1);
      await send(topic, [route(1)]);
      await until(VISIBLE, 1);
      await exporter?.stop();
      await start(connection('wrong'));
      await refused();
    },
  );

  it('shows its certificate to brokers that ask for one, and is refused without', async () => {
    const topic = 'mutual';
    await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
    const connection = (files: string) => `{brokers: ['${mutual}'], topics: [${topic}], tls: {${files}}}`;
    await start(connection('ca_file: ca.pem, cert_file: client.pem, key_file: client.key'));
    await until(UP, 1);
    await send(topic, [route(1)]);
    await until(VISIBLE, 1);
    await exporter?.stop();
    await start(connection('ca_file: ca.pem'));
    await told('it may ask for a certificate of the client');
    expect(await value(UP)).toBe(0);
    await exporter?.stop();
    await start(`{brokers: ['${mutual}'], topics: [${topic}]}`);
    await told('it may speak TLS at this port');
    expect(await value(UP)).toBe(0);
  });
});

const told = (text: string) =>
  vi.waitFor(() => expect(logger.lines.map(({ fields }) => String(fields?.detail)).join()).toContain(text), WAIT);

async function refused(): Promise<void> {
  const name = 'bgp_stream_disconnects_total{source="kafka",session="0",reason="refused"}';
  await vi.waitFor(async () => expect(await value(name)).toBeGreaterThan(0), WAIT);
  expect(await value(UP)).toBe(0);
}
