/** The broker of docker-compose.yml: its image cannot be had everywhere, but what the image makes of its variables can be. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Admin } from '@platformatic/kafka';
import { afterAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { KafkaBroker, kafkaJars, kafkaPort } from '../support/kafka-broker.ts';
import { startProgram } from '../support/program.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PORT = kafkaPort(6);
/** In a question for settings: those of a broker. */
const BROKER = 4;

let properties: readonly string[] = [];
const broker = new KafkaBroker(PORT, () => properties);
afterAll(() => broker.remove(), 60_000);

interface Service {
  readonly image: string;
  readonly environment: Readonly<Record<string, string | number>>;
  readonly volumes: readonly string[];
}

/** What the image's own program writes into `server.properties` for these variables. */
async function propertiesOf(environment: Readonly<Record<string, string>>): Promise<string[]> {
  const [defaults, mounted, final] = ['defaults', 'mounted', 'final'].map((name) => join(broker.folder, name));
  for (const folder of [defaults, mounted, final]) mkdirSync(folder);
  writeFileSync(join(defaults, 'server.properties'), 'it.is=a default\n');
  for (const name of ['log4j2.yaml', 'tools-log4j2.yaml'])
    writeFileSync(join(defaults, name), 'Configuration:\n  Loggers:\n    Root:\n      level: INFO\n');
  const wrapper = ['-cp', `${await kafkaJars()}/*`, 'kafka.docker.KafkaDockerWrapper', 'setup'];
  // Without a name for the cluster the image has one.
  const env = { PATH: process.env.PATH, CLUSTER_ID: '5L6g3nShT-eMCtK--X86sw', ...environment };
  await promisify(execFile)('java', [...wrapper, '-D', defaults, '-M', mounted, '-F', final], { env });
  return readFileSync(join(final, 'server.properties'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('='));
}

it('is started by settings that it knows, and a fleet has its topics there', async () => {
  const compose = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true });
  const { environment, volumes } = compose.services.kafka as Service;
  const texts = Object.entries(environment).map(([name, value]) => [name, String(value)]);
  // The image formats the folder of the log, which is to be no folder of this machine's own.
  const written = await propertiesOf({ ...Object.fromEntries(texts), KAFKA_LOG_DIRS: join(broker.folder, 'log') });
  const settings = new Map(
    written.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  // Every variable is a setting, but for that of the start script.
  expect(settings.size).toBe(texts.length - 1);
  expect([...settings.keys()].join()).not.toMatch(/heap/i);
  expect(settings.get('log.dirs')).toBe(join(broker.folder, 'log'));
  expect(volumes).toEqual([`kafka-data:${environment.KAFKA_LOG_DIRS}`]);

  // On this machine: other addresses, and another folder.
  const moved = (text: string) =>
    text
      .replaceAll(/(:\/\/|@)(?:localhost|kafka)?:9092/g, `$1127.0.0.1:${PORT}`)
      .replaceAll(/(:\/\/|@)(?:localhost|kafka)?:9093/g, `$1127.0.0.1:${PORT + 1}`);
  settings.delete('log.dirs');
  properties = [...settings].map(([name, value]) => `${name}=${moved(value)}`);
  await broker.start();

  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [broker.address], retries: 20, retryDelay: 500 });
  const [described] = await admin.describeConfigs({
    resources: [{ resourceType: BROKER, resourceName: '1', configurationKeys: [...settings.keys()] }],
  });
  await admin.close();
  const known = new Map((described?.configs ?? []).map(({ name, value }) => [name, value]));
  expect([...known.keys()].sort()).toEqual([...settings.keys()].sort());
  for (const [name, value] of settings) expect([name, known.get(name)]).toEqual([name, moved(value)]);

  const fleet = readFileSync(join(ROOT, 'stack/fleet.yml'), 'utf8').replace('kafka:9092', broker.address);
  writeFileSync(join(broker.folder, 'fleet.yml'), fleet);
  const create = startProgram(['fleet', 'create-topics', `--config.file=${join(broker.folder, 'fleet.yml')}`]);
  expect([await create.exit, create.stdout()]).toEqual([0, expect.stringMatching(/bgp\.state: made/)]);
}, 300_000);
