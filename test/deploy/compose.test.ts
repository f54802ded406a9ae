/** The profile `fleet` of docker-compose.yml, by what is written there; test/real starts the other profiles. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/config.ts';
import { LONG_SCENARIO } from '../../src/simulator/scenario/demo-scenario.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(ROOT + path, 'utf8');

interface Service {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly build?: { readonly args: Readonly<Record<string, string>> };
  readonly command: readonly string[];
  readonly hostname?: string;
  readonly ports?: readonly string[];
  readonly networks?: unknown;
  readonly restart?: string;
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

const compose = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, Service> };
const fleet = Object.entries(compose.services).filter(([, { profiles }]) => profiles?.includes('fleet'));
const service = (name: string) => compose.services[name]!;
const exporters = fleet.filter(([, { command }]) => command?.[0] === 'serve');
const members = fleet.filter(([, { build }]) => build?.args.WITH_KAFKA === '1');

function fleetConfig(use: 'serve' | 'ingest') {
  return loadConfig({
    flags: { 'config.file': 'fleet.yml' },
    env: use === 'ingest' ? { BGP_API_KEY: 'key-of-the-test' } : {},
    readFile: () => read('stack/fleet.yml'),
    use,
  });
}

describe('the profile fleet', () => {
  it('is a broker, one ingest, three exporters, and a simulator so that no key is needed', () => {
    expect(fleet.map(([name]) => name).toSorted()).toEqual([
      'fleet-exporter-1',
      'fleet-exporter-2',
      'fleet-exporter-3',
      'fleet-ingest',
      'fleet-topics',
      'kafka',
      'simulator',
    ]);
    expect(exporters).toHaveLength(3);
  });

  it('gives Kafka’s client to all that speak with the broker, in an image of another name', () => {
    expect(members.map(([name]) => name).toSorted()).toEqual([
      ...exporters.map(([name]) => name),
      'fleet-ingest',
      'fleet-topics',
    ]);
    for (const [, { image }] of members) expect(image).not.toBe(service('demo').image);
    expect(service('demo').build!.args).not.toHaveProperty('WITH_KAFKA');
    expect(read('Dockerfile')).toContain('ARG WITH_KAFKA=\n');
  });

  it('starts in order: the broker, the topics, then whoever needs them', () => {
    expect(service('fleet-topics')).toMatchObject({
      restart: 'no',
      command: ['fleet', 'create-topics', '--config.file=/etc/fleet.yml'],
      depends_on: { kafka: { condition: 'service_healthy' } },
    });
    for (const [, { depends_on }] of [...exporters, ['', service('fleet-ingest')] as const])
      expect(depends_on).toEqual({ 'fleet-topics': { condition: 'service_completed_successfully' } });
  });

  it('names each exporter by its machine, and publishes the port of one', () => {
    for (const [name, { hostname }] of exporters) expect(hostname).toBe(name);
    const published = fleet.filter(([, { ports }]) => (ports ?? []).length > 0).map(([name]) => name);
    expect(published).toEqual(['fleet-exporter-1']);
    expect(fleetConfig('serve').fleet!.instance).toBeUndefined();
  });

  it('has one file of settings, which exporters take without a key', () => {
    const { fleet: settings, bgproutes } = fleetConfig('serve');
    const { KAFKA_ADVERTISED_LISTENERS: address } = service('kafka').environment!;
    expect(address).toBe(`PLAINTEXT://${settings!.brokers[0]}`);
    expect(bgproutes.apiKeys).toEqual([]);
    expect(fleetConfig('ingest').bgproutes.apiKeys).toHaveLength(1);
    const host = service('simulator').command[1]!.replace('--listen=0.0.0.0', 'simulator');
    expect(bgproutes.websocketUrl).toMatch(new RegExp(`^ws://${host}/?$`));
  });

  it('watches the prefixes of the simulator, with their origins', () => {
    const watched = fleetConfig('serve').prefixes.map(({ prefix, origins }) => [prefix.text, origins]);
    expect(watched).toEqual(LONG_SCENARIO.prefixes.map(({ prefix, origin }) => [prefix, [origin]]));
  });

  it('is scraped whole: the first exporter as "exporter", the others by their names', () => {
    const { scrape_configs } = parse(read('stack/prometheus.yml')) as {
      scrape_configs: { job_name: string; static_configs: object[]; dns_sd_configs: { names: string[] }[] }[];
    };
    const job = scrape_configs.find(({ job_name }) => job_name === 'bgproutes-exporter')!;
    expect(job.static_configs).toEqual([{ targets: ['exporter:10479'] }]);
    expect(service('fleet-exporter-1').networks).toEqual({ default: { aliases: ['exporter'] } });
    const others = exporters.map(([name]) => name).filter((name) => name !== 'fleet-exporter-1');
    expect(job.dns_sd_configs[0]!.names.toSorted()).toEqual([...others, 'fleet-ingest'].toSorted());
    for (const name of job.dns_sd_configs[0]!.names) expect(service(name).networks).toEqual(['default']);
  });
});
