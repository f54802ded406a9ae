/** A fleet over TLS: members log in by SCRAM or by their certificate, and a wrong password is told without it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FleetWorld } from '../support/fleet-world.ts';
import { KafkaBroker, kafkaPort } from '../support/kafka-broker.ts';
import { loginProperties, makeScramUser } from '../support/kafka-login.ts';
import { startProgram } from '../support/program.ts';

const PORT = kafkaPort(4);
const [LOGIN, MUTUAL] = [PORT + 2, PORT + 3];
const [RIGHT, WRONG] = ['right-Zq8rT5wX', 'wrong-Jk3pL9vB'];
const MUTUAL_MEMBER = 'by-certificate';
const PREFIXES = [...Array.from({ length: 20 }, (_, i) => `10.0.${i}.0/24`), '10.0.0.0/22', '2001:db8::/32'];

let properties: readonly string[] = [];
const broker = new KafkaBroker(PORT, () => properties);
let password = 'password';
const world = new FleetWorld({
  ...{ prefixes: PREFIXES, members: ['by-password', MUTUAL_MEMBER], partitions: 6, sessionTimeoutS: 30 },
  connection: (name) =>
    name === MUTUAL_MEMBER
      ? `brokers: ['127.0.0.1:${MUTUAL}'], tls: {ca_file: ca.pem, cert_file: client.pem, key_file: client.key}`
      : `brokers: ['127.0.0.1:${LOGIN}'], tls: {ca_file: ca.pem}, sasl: {mechanism: scram-sha-512, username: bob, password_file: ${password}}`,
});

beforeAll(async () => {
  properties = loginProperties(world.folder, { plain: PORT, login: LOGIN, mutual: MUTUAL }, RIGHT);
  writeFileSync(join(world.folder, 'password'), `${RIGHT}\n`);
  writeFileSync(join(world.folder, 'wrong'), `${WRONG}\n`);
  await broker.start();
  await makeScramUser(PORT, 'scram-sha-512', 'bob', RIGHT);
  await world.begin();
}, 300_000);

afterAll(async () => {
  await world.end();
  await broker.remove();
}, 60_000);

describe.sequential('a fleet that logs in', () => {
  it('makes and checks its topics, writes and serves over TLS', async () => {
    await world.createTopics();
    await world.start('ingest', 'ingest');
    await world.startAll();
    await world.equal();
    await world.watchStateWritten();
    await world.equal();
    for (const name of ['ingest', ...world.setup.members]) {
      const said = world.program(name).stderr() + (await world.scrape(name));
      expect(said).not.toContain(RIGHT);
    }
  }, 300_000);

  it('says that the password is wrong, in a sentence without it', async () => {
    password = 'wrong';
    const file = `--config.file=${world.configFile('stranger')}`;
    for (const args of [['fleet', 'check'], ['fleet', 'create-topics'], ['ingest']]) {
      const { code, text } = await world.run(...args, file);
      expect([args, code]).toEqual([args, 1]);
      expect(text).toMatch(/the brokers .*: .*authentication/i);
      // One sentence: no stack, and neither password.
      expect(text).not.toMatch(new RegExp(`${WRONG}|${RIGHT}|^ +at `, 'm'));
    }
    // An exporter waits: its brokers may know the password later.
    const stranger = startProgram(['serve', file]);
    await stranger.seen(/the group of the fleet could not be joined.*authentication/i);
    stranger.child.kill('SIGTERM');
    expect(await stranger.exit).toBe(0);
    expect(stranger.stdout() + stranger.stderr()).not.toMatch(new RegExp(`${WRONG}|${RIGHT}`));
  }, 300_000);
});
