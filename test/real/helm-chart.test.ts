/**
 * The chart and the overlays, by helm 4 and helm 3, with the strict schemas of Kubernetes and of prometheus-operator. Needs helm, helm3,
 * kubectl, kubeconform, kube-score and promtool, and a folder of schemas in KUBE_SCHEMAS or a way out; `.ci/run` brings them.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { CHART } from '../../deploy/helm/generate.ts';
import { loadConfig } from '../../src/config/config.ts';
import { hasProgram } from '../alerts/engine.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const KUSTOMIZE = join(ROOT, 'deploy', 'kustomize');
/** Without a folder of schemas: those that kubeconform fetches, and the public catalogue of custom resources. */
const SCHEMAS = process.env.KUBE_SCHEMAS;
const LOCATIONS =
  SCHEMAS === undefined
    ? [
        'default',
        'https://raw.githubusercontent.com/datreeio/CRDs-catalog/main/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json',
      ]
    : [`${SCHEMAS}/{{ .Group }}_{{ .ResourceAPIVersion }}_{{ .ResourceKind }}.json`];
const SAMPLES = readdirSync(join(CHART, 'ci')).map((name) => join(CHART, 'ci', name));
const folder = mkdtempSync(join(tmpdir(), 'chart-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly output: string;
}

function run(program: string, ...parameters: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, parameters, { cwd: ROOT, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : 1;
      resolve({ code, stdout, output: stdout + stderr });
    });
  });
}

/** An object of Kubernetes, as far as the tests read it. */
interface KubeObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  // biome-ignore lint/suspicious/noExplicitAny: of every kind another
  readonly spec: any;
  readonly data: Readonly<Record<string, string>>;
  readonly stringData: Readonly<Record<string, string>>;
}

const KINDS = ['ServiceMonitor', 'PodMonitor', 'PrometheusRule'].flatMap((kind) => [
  '--api-versions',
  `monitoring.coreos.com/v1/${kind}`,
]);

function render(helm: 'helm' | 'helm3', ...parameters: string[]): Promise<Outcome> {
  return run(
    helm,
    'template',
    'sample',
    CHART,
    '--namespace',
    'bgp',
    '--kube-version',
    '1.37.1',
    ...KINDS,
    ...parameters,
  );
}

async function objects(...parameters: string[]): Promise<readonly KubeObject[]> {
  const { code, stdout, output } = await render('helm', ...parameters);
  expect(code, output).toBe(0);
  return objectsOf(stdout);
}

function objectsOf(text: string): readonly KubeObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null);
}

function find(list: readonly KubeObject[], kind: string, name?: string): KubeObject {
  const found = list.find((object) => object.kind === kind && (name === undefined || object.metadata.name === name));
  expect(found, `${kind} ${name ?? ''}`).toBeDefined();
  return found!;
}

async function conforms(text: string): Promise<void> {
  const file = join(mkdtempSync(join(folder, 'rendered-')), 'all.yaml');
  writeFileSync(file, text);
  const locations = LOCATIONS.flatMap((each) => ['-schema-location', each]);
  const { code, output } = await run('kubeconform', '-strict', '-summary', ...locations, file);
  expect(code, output).toBe(0);
  expect(output).toMatch(/Valid: [1-9][0-9]*, Invalid: 0, Errors: 0, Skipped: 0/);
}

describe.skipIf(!hasProgram('helm', 'version'))('the chart', () => {
  it.each(SAMPLES)('with %s is what helm, Kubernetes and its operator take', async (sample) => {
    const rendered: string[] = [];
    for (const helm of ['helm', 'helm3'] as const) {
      const lint = await run(helm, 'lint', '--strict', CHART, '-f', sample);
      expect(lint.code, lint.output).toBe(0);
      const { code, stdout, output } = await render(helm, '-f', sample);
      expect(code, output).toBe(0);
      rendered.push(stdout);
    }
    // They differ in empty lines.
    expect(objectsOf(rendered[0]!)).toEqual(objectsOf(rendered[1]!));
    await conforms(rendered[0]!);
    const file = join(mkdtempSync(join(folder, 'score-')), 'all.yaml');
    writeFileSync(file, rendered[0]!);
    const score = await run('kube-score', 'score', '--output-format', 'ci', file);
    expect(score.output.split('\n').filter((line) => line.startsWith('[CRITICAL]'))).toEqual([]);
    expect(score.output).toContain('[OK]');
  });

  it.each<[string, string[], RegExp]>([
    ['two pods of one key', ['--set', 'replicas=2'], /replicas is 2, expected 1 or 0: a key has one session/],
    ['no prefix', ['--set', 'config.prefixes=null'], /config\.prefixes is empty: name the prefixes/],
    ['no key', ['--set', 'apiKey.existingSecret='], /apiKey is missing: name a Secret/],
    [
      'a key in a ConfigMap',
      ['--set', 'config.bgproutes.api_keys={abc}'],
      /config\.bgproutes\.api_keys would lie in a ConfigMap/,
    ],
    [
      'one key for two exporters',
      ['--set', 'exporters.a.persistence.size=1Gi', '--set', 'exporters.b.persistence.size=1Gi'],
      /exporters\.a and exporters\.b have the same apiKey: a key has one session/,
    ],
    [
      'an exporter without a prefix, by its name',
      ['--set', 'exporters.a.apiKey.existingSecret=a', '--set-json', 'exporters.a.config.prefixes=[]'],
      /exporters\.a\.config\.prefixes is empty/,
    ],
    ['a key that the configuration does not have', ['--set', 'config.table.sead=true'], /sead/],
    ['a text where a list stands', ['--set', 'config.prefixes=192.0.2.0/24'], /prefixes/],
    ['a word that is not one of a list', ['--set', 'config.log.level=loud'], /level/],
    ['a value that the chart does not have', ['--set', 'replicaCount=1'], /replicaCount/],
    [
      'exporters that one monitor cannot scrape',
      [
        ...['--set', 'monitor.kind=PodMonitor', '--set', 'exporters.a.apiKey.existingSecret=a'],
        ...['--set', 'exporters.b.web.scheme=https', '--set', 'exporters.b.apiKey.existingSecret=b'],
      ],
      /exporters\.a and exporters\.b differ in web\.scheme/,
    ],
    [
      'one name for all pods of a fleet',
      ['--set', 'config.fleet.brokers={kafka:9092}', '--set', 'config.fleet.instance=a'],
      /config\.fleet\.instance is a for all pods: leave it out/,
    ],
    [
      'a fleet of two sources',
      ['--set', 'config.fleet.brokers={kafka:9092}', '--set', 'config.sources={bgproutes,ris-live}'],
      /config\.sources is bgproutes, ris-live, expected one/,
    ],
    [
      'a fleet among exporters with keys of their own',
      ['--set', 'exporters.a.config.fleet.brokers={kafka:9092}'],
      /exporters\.a\.config\.fleet: a fleet is a release of its own/,
    ],
    [
      'a fleet whose ingest has no key',
      ['--set', 'config.fleet.brokers={kafka:9092}', '--set', 'apiKey.existingSecret='],
      /apiKey is missing/,
    ],
    [
      'several pods of a demo',
      ['--set', 'demo=true', '--set', 'replicas=2', '--set', 'config.fleet.brokers={kafka:9092}'],
      /replicas is 2, expected 1 or 0/,
    ],
    ['a kind of monitor that is none', ['--set', 'monitor.kind=Probe'], /kind/],
  ])('refuses %s, with the reason', async (_, parameters, reason) => {
    const values = ['--set', 'apiKey.existingSecret=bgp', '--set', 'config.prefixes[0].prefix=192.0.2.0/24'];
    for (const helm of ['helm', 'helm3'] as const) {
      expect((await render(helm, ...values)).code).toBe(0);
      const { code, output } = await render(helm, ...values, ...parameters);
      expect(code).not.toBe(0);
      expect(output).toMatch(reason);
    }
  });

  it('gives the exporter the configuration of the values, which it takes', async () => {
    const sample = join(CHART, 'ci', 'whole-values.yaml');
    const { data } = find(await objects('-f', sample), 'ConfigMap', 'sample-bgproutes-exporter');
    const { config } = parse(readFileSync(sample, 'utf8')) as { config: object };
    expect(parse(data['exporter.yml']!)).toEqual(config);
    const file = join(folder, 'exporter.yml');
    writeFileSync(file, data['exporter.yml']!);
    const loaded = loadConfig({
      flags: { 'config.file': file },
      env: { OTLP_TOKEN: 'token', BGP_API_KEY: 'key-of-the-test' },
    });
    expect(loaded.prefixes.map(({ origins }) => origins)).toEqual([[64500, 4200000001], undefined]);
  });

  it('selects its pods by labels that they have, in the service, the policies and the monitors', async () => {
    for (const sample of SAMPLES) {
      const all = await objects('-f', sample);
      const pods = all.filter(({ kind }) => kind === 'StatefulSet').map(({ spec }) => spec.template.metadata.labels);
      const selects = (labels: Readonly<Record<string, string>>, of: Readonly<Record<string, string>>) =>
        Object.entries(labels).every(([name, value]) => of[name] === value);
      for (const { kind, metadata, spec } of all) {
        if (kind === 'Service') expect(pods.filter((labels) => selects(spec.selector, labels))).toHaveLength(1);
        if (kind === 'StatefulSet') {
          expect(
            pods.filter((labels) => selects(spec.selector.matchLabels, labels)),
            metadata.name,
          ).toHaveLength(1);
          find(all, 'Service', spec.serviceName);
        }
        if (kind === 'PodDisruptionBudget' || kind === 'PodMonitor') {
          expect(pods.filter((labels) => selects(spec.selector.matchLabels, labels))).toHaveLength(pods.length);
        }
        if (kind === 'NetworkPolicy')
          expect(pods.every((labels) => selects(spec.podSelector.matchLabels, labels))).toBe(true);
        if (kind === 'ServiceMonitor') {
          const services = all.filter((each) => each.kind === 'Service').map((each) => each.metadata.labels);
          expect(services.every((labels) => selects(spec.selector.matchLabels, labels))).toBe(true);
          expect(services.every((labels) => labels[spec.jobLabel] === 'bgproutes-exporter')).toBe(true);
        }
      }
    }
  });

  it.each<[string, string[], string]>([
    ['none', [], ''],
    ['that of the external URL', ['--set', 'config.web.external_url=https://mon.example.net/bgp/'], '/bgp'],
    [
      'its own',
      ['--set', 'config.web.external_url=https://mon.example.net/bgp/', '--set', 'config.web.route_prefix=/'],
      '',
    ],
  ])('asks and scrapes under the prefix of the web server: %s', async (_, parameters, prefix) => {
    const values = ['-f', join(CHART, 'ci', 'ris-live-values.yaml'), '--set', 'monitor.kind=PodMonitor'];
    const all = await objects(...values, ...parameters);
    const [{ livenessProbe }] = find(all, 'StatefulSet').spec.template.spec.containers;
    expect(livenessProbe.httpGet.path).toBe(`${prefix}/-/healthy`);
    expect(find(all, 'PodMonitor').spec.podMetricsEndpoints[0].path).toBe(`${prefix}/metrics`);
  });

  it('brings the rules as they are, or with another runbook and groups of the operator', async () => {
    const shipped = parse(readFileSync(join(ROOT, 'alerts', 'bgproutes.rules.yml'), 'utf8')) as { groups: object[] };
    const plain = await objects('-f', join(CHART, 'ci', 'several-values.yaml'));
    expect(find(plain, 'PrometheusRule').spec).toEqual(shipped);
    const whole = find(await objects('-f', join(CHART, 'ci', 'whole-values.yaml')), 'PrometheusRule')
      .spec as typeof shipped;
    const moved = JSON.stringify(shipped.groups).replace(
      /http:\/\/[^/]*\/runbook#/g,
      'https://bgp.example.net/runbook#',
    );
    expect(JSON.stringify(whole.groups.slice(0, -1))).toBe(moved);
    const file = join(folder, 'rules.yml');
    writeFileSync(file, JSON.stringify(whole));
    const { code, output } = await run('promtool', 'check', 'rules', file);
    expect(code, output).toBe(0);
  });

  it('brings each dashboard in a ConfigMap that a sidecar finds, and kubectl can apply', async () => {
    const all = await objects('-f', join(CHART, 'ci', 'several-values.yaml'));
    const maps = all.filter(({ metadata }) => metadata.labels.grafana_dashboard === '1');
    expect(maps).toHaveLength(3);
    for (const { data } of maps) {
      const [[name, text]] = Object.entries(data) as [[string, string]];
      const shipped = readFileSync(join(ROOT, 'dashboards', 'generated', name.replace('bgproutes-', '')), 'utf8');
      expect(JSON.parse(text)).toEqual(JSON.parse(shipped));
      // The whole object is kept in an annotation by kubectl apply.
      expect(text.length).toBeLessThan(256 * 1024);
    }
  });

  it('keeps keys where they belong: in Secrets, and each exporter with its own', async () => {
    const whole = await objects('-f', join(CHART, 'ci', 'whole-values.yaml'));
    expect(find(whole, 'Secret').stringData).toEqual({ 'api-key': 'key-of-the-test' });
    const elsewhere = whole.filter(({ kind }) => kind !== 'Secret');
    expect(JSON.stringify(elsewhere)).not.toContain('key-of-the-test');
    const several = await objects('-f', join(CHART, 'ci', 'several-values.yaml'));
    const secrets = several
      .filter(({ kind }) => kind === 'StatefulSet')
      .map(
        ({ spec }) =>
          spec.template.spec.volumes.find((volume: { name: string }) => volume.name === 'key')?.secret.secretName,
      );
    expect(secrets.toSorted()).toEqual(['customers', 'own', undefined]);
  });

  describe('with config.fleet', () => {
    const sample = join(CHART, 'ci', 'fleet-values.yaml');
    const volumesOf = ({ spec }: KubeObject): readonly string[] =>
      spec.template.spec.volumes.map(({ name }: { name: string }) => name);

    it('runs exporters that share the prefixes, without claims, keys, or a name that two would have', async () => {
      const all = await objects('-f', sample);
      const members = find(all, 'StatefulSet', 'sample-bgproutes-exporter');
      expect(members.spec).toMatchObject({ replicas: 5, podManagementPolicy: 'Parallel' });
      expect(members.spec.volumeClaimTemplates).toBeUndefined();
      expect(volumesOf(members)).toEqual(['config', 'kafka']);
      const [{ args }] = members.spec.template.spec.containers;
      expect(args).toEqual([
        'serve',
        '--config.file=/etc/bgproutes-exporter/exporter.yml',
        '--web.listen-address=:10479',
      ]);
    });

    it('runs an ingest that has the key, after the topics are made; its configuration is that of the exporters', async () => {
      const all = await objects('-f', sample);
      const ingest = find(all, 'StatefulSet', 'sample-bgproutes-exporter-ingest');
      expect(ingest.spec.replicas).toBe(2);
      expect(volumesOf(ingest)).toEqual(['config', 'key', 'kafka']);
      const { containers, initContainers } = ingest.spec.template.spec;
      expect(initContainers[0].args).toEqual([
        'fleet',
        'create-topics',
        '--config.file=/etc/bgproutes-exporter/exporter.yml',
        '--replicas=3',
      ]);
      expect(containers[0].args).toEqual([
        'ingest',
        '--config.file=/etc/bgproutes-exporter/exporter.yml',
        '--web.listen-address=:10479',
        '--bgproutes.api-key-file=/run/secrets/bgproutes-exporter/api-key',
      ]);
      const [ofMembers, ofIngest] = ['sample-bgproutes-exporter', 'sample-bgproutes-exporter-ingest'].map(
        (name) => find(all, 'ConfigMap', name).data['exporter.yml']!,
      );
      expect(ofIngest).toBe(ofMembers);
      const file = join(folder, 'fleet.yml');
      writeFileSync(file, ofMembers!.replaceAll('/etc/bgproutes-exporter-kafka', folder));
      writeFileSync(join(folder, 'password'), 'password-of-the-test');
      writeFileSync(join(folder, 'ca.crt'), 'a certificate');
      const { fleet } = loadConfig({ flags: { 'config.file': file }, env: {} });
      expect(fleet).toMatchObject({ partitions: 32, instance: undefined });
    });

    it('leaves the topics to somebody else where it is told so', async () => {
      const ingest = find(
        await objects('-f', sample, '--set', 'ingest.createTopics=false'),
        'StatefulSet',
        'sample-bgproutes-exporter-ingest',
      );
      expect(ingest.spec.template.spec.initContainers).toBeUndefined();
    });

    it.each<[string, string[], number[]]>([
      ['of a fleet', ['-f', sample], [9093, 9094]],
      [
        'of topics as a source',
        ['-f', join(CHART, 'ci', 'ris-live-values.yaml'), '--set', 'config.sources={kafka}'],
        [9092],
      ],
      ['of none', ['-f', join(CHART, 'ci', 'ris-live-values.yaml')], []],
    ])('lets out to the ports of the brokers: %s', async (_, parameters, ports) => {
      const { egress } = find(await objects(...parameters), 'NetworkPolicy').spec;
      const open = egress.flatMap((rule: { ports: { port: number }[] }) => rule.ports.map(({ port }) => port));
      expect(open).toEqual([53, 53, 443, ...ports]);
    });
  });

  it('says what to open', async () => {
    for (const sample of SAMPLES) {
      const { output } = await run(
        'helm',
        'install',
        'sample',
        CHART,
        '--dry-run=client',
        '--namespace',
        'bgp',
        '-f',
        sample,
      );
      expect(output).toMatch(/port-forward statefulset\/sample-bgproutes-exporter\S* 10479/);
    }
  });
});

describe.skipIf(!hasProgram('kubectl', 'help'))('kustomize', () => {
  it('has the base that the chart renders', async () => {
    const { code, output } = await run('sh', join(KUSTOMIZE, 'generate.sh'), folder);
    expect(code, output).toBe(0);
    for (const path of ['base/exporter.yaml', 'monitoring/monitor.yaml']) {
      expect(readFileSync(join(KUSTOMIZE, path), 'utf8'), `${path}: sh deploy/kustomize/generate.sh`).toBe(
        readFileSync(join(folder, path), 'utf8'),
      );
    }
  });

  it('has an overlay that works: its prefixes are those of the pod, and a change of them is a new pod', async () => {
    const { code, stdout, output } = await run('kubectl', 'kustomize', join(KUSTOMIZE, 'example'));
    expect(code, output).toBe(0);
    await conforms(stdout);
    const all = objectsOf(stdout);
    const [config] = find(all, 'StatefulSet').spec.template.spec.volumes;
    const map = find(all, 'ConfigMap', config.configMap.name);
    expect(config.configMap.name).toMatch(/^bgproutes-exporter-[a-z0-9]{10}$/);
    expect(map.data['exporter.yml']).toBe(readFileSync(join(KUSTOMIZE, 'example', 'exporter.yml'), 'utf8'));
    const maps = all.filter(({ metadata }) => metadata.labels?.grafana_dashboard === '1');
    expect(maps).toHaveLength(3);
  });
});
