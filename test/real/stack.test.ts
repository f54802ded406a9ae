/**
 * The stack as it is shipped: the project's image, real Prometheus and Alertmanager, brought up by docker-compose.yml while
 * the demo plays its five minutes. Then every query of every dashboard is asked of that Prometheus. Grafana is not started:
 * what it would ask is asked in its place.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DockerComposeEnvironment, type StartedDockerComposeEnvironment, Wait } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { dashboards } from '../../dashboards/src/generate.ts';
import { DEMO_SCENARIO } from '../../src/simulator/scenario/demo-scenario.ts';
import { hasEngine, IMAGES } from '../alerts/engine.ts';
import { PrometheusApi } from '../alerts/monitoring.ts';
import { RULES } from '../alerts/rules-file.ts';
import { panelsOf, targetsOf } from '../dashboards/lint.ts';
import { filled as withChoice } from '../dashboards/promql.ts';
import { makeCertificate } from '../support/certificates.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** The demo's own image, made here unless one is named. */
const IMAGE = process.env.EXPORTER_IMAGE ?? 'bgproutes-exporter:test';
const SERVICES = ['demo', 'prometheus', 'alertmanager'] as const;

/** What the demo has not, and why its panel still shows something else. */
const NOT_IN_THE_DEMO: readonly RegExp[] = [
  /bgp_stream_canary_timestamp_seconds/, // no canary is configured; the panel shows the last frame
  /bgp_table_snapshot_timestamp_seconds/, // no storage; the panel shows the age of the seed
  /bgp_rpki_|bgp_prefix_(?:\w*rpki|covering_vrps|aspa_vps)/, // not all that the RPKI may say is true here
  /bgp_fleet_/, // one exporter is no fleet
  /bgp_ripestat_requests_total/, // the only source is bgproutes
  /bgp_table_full_feed_usable/, // expected are those that were seen; the table shows the rest
  /unless on \(/, // of what nobody is trusted with, and what is too small for a line of its own
  /unless max by \(prefix\)/, // numbers that are not trusted
  /unless topk\(1, /, // all parts but the largest: a prefix may have one origin and one upstream
];

/**
 * Whole panels of what is off in the demo: `paths`, because its origins are documentation numbers and each path would be odd;
 * and the fleet, because it is one exporter.
 */
const OFF_IN_THE_DEMO = /bgp_prefix_path_anomaly_vps|bgp_fleet_/;

const PROJECT = `stacktest${process.pid}`;

/** `docker compose`, or where there is none `docker-compose`; and how testcontainers knows the container of a service. */
function composeProgram(): { readonly standalone: boolean; readonly containerOf: (service: string) => string } {
  const containerOf = (service: string) => `${service}-1`;
  if (answers('docker', 'compose', 'version')) return { standalone: false, containerOf };
  const version = execFileSync('docker-compose', ['version', '--short'], { encoding: 'utf8' });
  return {
    standalone: true,
    containerOf: version.startsWith('1.') ? (service) => `${PROJECT}_${service}_1` : containerOf,
  };
}

function answers(program: string, ...parameters: string[]): boolean {
  try {
    execFileSync(program, parameters, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function buildImage(): Promise<void> {
  if (process.env.EXPORTER_IMAGE !== undefined) return;
  const base = process.env.NODE_IMAGE;
  const args = [
    'build',
    '--quiet',
    '--tag',
    IMAGE,
    ...(base === undefined ? [] : ['--build-arg', `NODE_IMAGE=${base}`]),
  ];
  // A client without buildx cannot use BuildKit; the Dockerfile needs it not.
  const buildKit = answers('docker', 'buildx', 'version') ? '1' : '0';
  await run('docker', [...args, '.'], { cwd: ROOT, env: { ...process.env, DOCKER_BUILDKIT: buildKit } });
}

describe.skipIf(!hasEngine())('docker compose up', () => {
  let stack: StartedDockerComposeEnvironment;
  let prometheus: PrometheusApi;
  let alertmanagerUrl: string;
  let startMs: number;
  let compose: ReturnType<typeof composeProgram>;
  const container = (service: string) => stack.getContainer(compose.containerOf(service));

  beforeAll(async () => {
    await buildImage();
    compose = composeProgram();
    startMs = Date.now();
    let environment = new DockerComposeEnvironment(ROOT, 'docker-compose.yml')
      .withProjectName(PROJECT)
      .withEnvironment({
        ...process.env,
        EXPORTER_IMAGE: IMAGE,
        PROMETHEUS_IMAGE: IMAGES.prometheus,
        ALERTMANAGER_IMAGE: IMAGES.alertmanager,
        BGP_API_KEY: '',
        // What fires in the long rounds is tested in stack-alerts.test.ts.
        DEMO_PACE: 'quick',
        // Any free port.
        EXPORTER_PORT: '0',
        PROMETHEUS_PORT: '0',
        ALERTMANAGER_PORT: '0',
      } as Record<string, string>)
      // For each of them to be healthy; on a busy machine the usual minute is too little.
      .withStartupTimeout(300_000);
    for (const service of SERVICES)
      environment = environment.withWaitStrategy(compose.containerOf(service), Wait.forHealthCheck());
    if (compose.standalone) environment = environment.withClientOptions({ executable: { standalone: true } });
    stack = await environment.up([...SERVICES]);
    // Where the file opens its ports. Testcontainers would name the engine's gateway when the test is in a container itself.
    const url = (service: string, port: number) => `http://127.0.0.1:${container(service).getMappedPort(port)}`;
    prometheus = new PrometheusApi(url('prometheus', 9090));
    alertmanagerUrl = url('alertmanager', 9093);
  });

  afterAll(async () => {
    await stack?.down({ removeVolumes: true });
  });

  it('every service is healthy, on a read-only root, without capabilities', async () => {
    for (const service of SERVICES) {
      const { stdout } = await run('docker', ['inspect', container(service).getId()]);
      const [inspected] = JSON.parse(stdout);
      expect(inspected.State.Health.Status, service).toBe('healthy');
      expect(inspected.HostConfig.ReadonlyRootfs, service).toBe(true);
      expect(inspected.HostConfig.CapDrop, service).toEqual(['ALL']);
      expect(inspected.HostConfig.SecurityOpt, service).toEqual(['no-new-privileges:true']);
      expect(['', '0', 'root'], service).not.toContain(inspected.Config.User);
      for (const [, bindings] of Object.entries(inspected.NetworkSettings.Ports)) {
        for (const { HostIp } of (bindings as { HostIp: string }[] | null) ?? []) expect(HostIp).toBe('127.0.0.1');
      }
    }
  });

  it('the image is scraped, healthy', async () => {
    await vi.waitFor(
      async () => {
        const { activeTargets } = await prometheus.get<{
          activeTargets: { labels: { job: string }; health: string; lastError: string }[];
        }>('targets');
        const exporters = activeTargets.filter(({ labels }) => labels.job === 'bgproutes-exporter');
        expect(exporters.map(({ health, lastError }) => ({ health, lastError }))).toEqual([
          { health: 'up', lastError: '' },
        ]);
      },
      { timeout: 60_000, interval: 500 },
    );
    const [info] = await prometheus.query('bgp_exporter_build_info');
    expect(info!.metric.version).toBe(
      (parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string }).version,
    );
  });

  it('Prometheus has found the Alertmanager, and its configuration holds its own check', async () => {
    await vi.waitFor(
      async () => {
        const { activeAlertmanagers } = await prometheus.get<{ activeAlertmanagers: { url: string }[] }>(
          'alertmanagers',
        );
        expect(activeAlertmanagers).toHaveLength(1);
      },
      { timeout: 60_000, interval: 500 },
    );
    const { exitCode, output } = await container('prometheus').exec([
      'promtool',
      'check',
      'config',
      '/etc/prometheus/prometheus.yml',
    ]);
    expect(exitCode, output).toBe(0);
    const status = (await (await fetch(`${alertmanagerUrl}/api/v2/status`)).json()) as { config: { original: string } };
    expect(status.config.original).toContain('BGPPrefix');
  });

  it('what to open first is printed', async () => {
    const { stdout } = await run('docker', [
      ...['run', '--rm', '--entrypoint', 'node', '--volume', `${join(ROOT, 'stack')}:/stack:ro`],
      ...['--env', 'GRAFANA_PORT=3001', IMAGE, '/stack/hello.js'],
    ]);
    expect(stdout).toContain(`Open first:  http://localhost:3001/d/${dashboards().get('overview.json')!.uid}`);
  });

  it('what to open first is that no exporter was chosen, where none was', async () => {
    const parameters = [
      'run',
      '--rm',
      '--network',
      'none',
      '--entrypoint',
      'node',
      '--volume',
      `${join(ROOT, 'stack')}:/stack:ro`,
    ];
    const { stdout } = await run('docker', [...parameters, IMAGE, '/stack/hello.js']);
    expect(stdout).toContain('docker compose --profile demo up');
  });

  it.each(['live', 'ris', 'otlp'])(
    'the profile %s brings an exporter that is healthy, as Prometheus knows it',
    async (profile) => {
      const folder = mkdtempSync(join(tmpdir(), 'profile-'));
      const project = `${PROJECT}${profile}`;
      // Services that nobody is at: this is about the container.
      const services = {
        websocket_url: 'ws://127.0.0.1:9',
        live_manager_url: 'http://127.0.0.1:9',
        data_api_url: 'http://127.0.0.1:9',
      };
      const nowhere = {
        bgproutes: services,
        ris_live: { url: 'ws://127.0.0.1:9', ripestat_url: 'http://127.0.0.1:9' },
      };
      writeFileSync(join(folder, 'exporter.yml'), JSON.stringify(nowhere));
      const env = {
        ...process.env,
        EXPORTER_IMAGE: IMAGE,
        EXPORTER_CONFIG: join(folder, 'exporter.yml'),
        EXPORTER_PORT: '0',
        BGP_API_KEY: profile === 'live' ? 'not-a-key' : '',
        BGP_PREFIXES: '192.0.2.0/24,2001:db8::/32',
      };
      const program = compose.standalone ? ['docker-compose'] : ['docker', 'compose'];
      const call = (...words: string[]) => {
        const [name, ...parameters] = [...program, '--project-name', project, '--profile', profile, ...words];
        return run(name!, parameters, { cwd: ROOT, env });
      };
      try {
        await call('up', '--detach', '--no-deps', '--no-build', profile);
        const { stdout } = await call('ps', '--quiet', profile);
        const inspect = async () => JSON.parse((await run('docker', ['inspect', stdout.trim()])).stdout)[0];
        await vi.waitFor(async () => expect((await inspect()).State.Health.Status).toBe('healthy'), {
          timeout: 90_000,
          interval: 500,
        });
        const { NetworkSettings } = await inspect();
        const [network] = Object.values(NetworkSettings.Networks) as { Aliases: string[] }[];
        expect(network!.Aliases).toContain('exporter');
        const { stdout: said, stderr } = await call('logs', '--no-color', profile);
        expect(said + stderr).toContain(profile === 'otlp' ? 'simulated vantage points' : 'prefixes=2');
        const pushes = (await inspect()).Config.Env.includes('OTEL_EXPORTER_OTLP_ENDPOINT=http://otel-collector:4318');
        expect(pushes).toBe(profile === 'otlp');
      } finally {
        await call('down', '--volumes');
        rmSync(folder, { recursive: true });
      }
    },
  );

  it('the image has no shell, no package manager, and the labels of its build', async () => {
    for (const program of ['/bin/sh', '/bin/bash', '/usr/local/bin/npm', '/usr/bin/apt-get']) {
      const parameters = ['run', '--rm', '--network', 'none', '--entrypoint', program, IMAGE];
      await expect(run('docker', parameters), program).rejects.toThrow(/no such file|not found/i);
    }
    const [{ Config }] = JSON.parse((await run('docker', ['image', 'inspect', IMAGE])).stdout) as [
      { Config: { User: string; Labels: Record<string, string> } },
    ];
    expect(Config.User).toBe('1000:1000');
    const known = ['title', 'description', 'licenses', 'version', 'revision', 'created', 'source'];
    expect(Object.keys(Config.Labels)).toEqual(
      expect.arrayContaining(known.map((name) => `org.opencontainers.image.${name}`)),
    );
  });

  it('as process 1 of a container the exporter stops on a SIGTERM that comes with its first line', async () => {
    const name = `${PROJECT}_stops`;
    const exporter = spawn('docker', [
      ...['run', '--rm', '--init=false', '--name', name, '--env', 'BGP_API_KEY=not-a-key', IMAGE],
      ...['--prefix=192.0.2.0/24', '--bgproutes.websocket-url=ws://127.0.0.1:9'],
      ...['--bgproutes.live-manager-url=http://127.0.0.1:9', '--bgproutes.data-api-url=http://127.0.0.1:9'],
    ]);
    const ended = new Promise<number | null>((resolve) => exporter.once('exit', resolve));
    let said = '';
    await new Promise<void>((resolve) => {
      exporter.stderr.on('data', (text: Buffer) => {
        said += text.toString();
        if (said.includes('\n')) resolve();
      });
      exporter.once('exit', () => resolve());
    });
    // A process that does not hear it would be killed after a minute, and end with 137.
    await run('docker', ['stop', '--time=60', name]);
    expect(await ended, said).toBe(0);
    expect(said).toContain('msg="bgproutes-exporter starts"');
  });

  it('is healthy to its own check where the web server wants TLS and a password, as any numeric user', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'web-'));
    const name = `${PROJECT}_web`;
    const { cert, key } = makeCertificate('localhost');
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'cert.pem'), cert);
    writeFileSync(join(folder, 'key.pem'), key);
    const hash = `$2b$04$${'a'.repeat(53)}`;
    writeFileSync(
      join(folder, 'web.yml'),
      `tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nbasic_auth_users: {alice: ${hash}}\n`,
    );
    try {
      await run('docker', [
        ...[
          'run',
          '--detach',
          '--name',
          name,
          '--read-only',
          '--cap-drop',
          'ALL',
          '--security-opt',
          'no-new-privileges',
        ],
        ...[
          '--user',
          '10479:10479',
          '--health-interval',
          '1s',
          '--env',
          'BGP_API_KEY=not-a-key',
          '--volume',
          `${folder}:/web:ro`,
        ],
        ...[
          IMAGE,
          '--prefix=192.0.2.0/24',
          '--web.config.file=/web/web.yml',
          '--bgproutes.websocket-url=ws://127.0.0.1:9',
        ],
        ...['--bgproutes.live-manager-url=http://127.0.0.1:9', '--bgproutes.data-api-url=http://127.0.0.1:9'],
      ]);
      const health = async () =>
        (await run('docker', ['inspect', '--format', '{{.State.Health.Status}}', name])).stdout.trim();
      await vi.waitFor(async () => expect(await health()).toBe('healthy'), { timeout: 60_000, interval: 500 });
    } finally {
      await run('docker', ['rm', '--force', name]);
      rmSync(folder, { recursive: true });
    }
  });

  it('as process 1 it stops on a SIGTERM of its first moments', async () => {
    const name = `${PROJECT}_early`;
    const args = [
      '--prefix=192.0.2.0/24',
      '--bgproutes.websocket-url=ws://127.0.0.1:9',
      '--bgproutes.data-api-url=http://127.0.0.1:9',
    ];
    await run('docker', ['create', '--init=false', '--name', name, '--env', 'BGP_API_KEY=not-a-key', IMAGE, ...args]);
    try {
      await run('docker', ['start', name]);
      await run('docker', ['kill', '--signal', 'TERM', name]);
      const state = async () =>
        (await run('docker', ['inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', name])).stdout.trim();
      // A signal that comes before Node runs any code reaches nobody in process 1; whoever stops a container sends another only to kill.
      // Then the exporter starts, and the next one ends it.
      await vi.waitFor(
        async () => {
          const { stdout, stderr } = await run('docker', ['logs', name]);
          if ((await state()) !== 'exited 0') expect(stdout + stderr).toContain('bgproutes-exporter starts');
        },
        { timeout: 60_000, interval: 200 },
      );
      if ((await state()) !== 'exited 0') await run('docker', ['stop', '--time=60', name]);
      expect(await state()).toBe('exited 0');
    } finally {
      await run('docker', ['rm', '--force', name]);
    }
  });

  it('as process 1 it leaves no zombie of its health checks', async () => {
    const exporter = container('demo').getId();
    for (let n = 0; n < 3; n++) await run('docker', ['exec', exporter, 'node', '/app/dist/main.js', 'healthcheck']);
    const code = `
      const { readdirSync, readFileSync } = require('node:fs');
      const states = readdirSync('/proc').filter((pid) => /^[0-9]+$/.test(pid)).map((pid) => {
        try { return /\\) (\\w) /.exec(readFileSync('/proc/' + pid + '/stat', 'utf8'))[1]; } catch { return 'gone'; }
      });
      console.log(JSON.stringify({ zombies: states.filter((state) => state === 'Z').length, all: states.length }));`;
    const { stdout } = await run('docker', ['exec', exporter, 'node', '-e', code]);
    const { zombies, all } = JSON.parse(stdout) as { zombies: number; all: number };
    expect(zombies).toBe(0);
    expect(all).toBeGreaterThanOrEqual(2);
  });

  describe('after the five minutes of the demo', () => {
    const steps = DEMO_SCENARIO.steps.map((step) => step.at);
    const demoMs = Math.max(...steps) + 45_000;

    beforeAll(async () => {
      await vi.waitFor(() => expect(Date.now() - startMs).toBeGreaterThan(demoMs), {
        timeout: demoMs + 60_000,
        interval: 1_000,
      });
    });

    const filled = (query: string, prefix: string) =>
      withChoice(query, { prefix, range: '10m', interval: '5s', rateInterval: '1m' });

    const all = [...dashboards()].flatMap(([file, dashboard]) =>
      panelsOf(dashboard).map((panel) => [file, panel.title!, targetsOf(panel).map((target) => target.expr)] as const),
    );

    it.each(all)('%s, %s: has data', async (file, title, queries) => {
      // The prefix dashboard shows one at a time; each must do, but only one has a more-specific for half a minute.
      const prefixes = file === 'prefix.json' ? DEMO_SCENARIO.prefixes.map(({ prefix }) => prefix) : ['.+'];
      for (const prefix of prefixes) {
        const missing: string[] = [];
        for (const query of queries) {
          const points = await prometheus.points(filled(query, prefix), startMs, Date.now(), 5);
          if (points === 0) missing.push(query);
        }
        // Alerts may be quiet; that they are listed is tested in dashboards-queries.test.ts.
        if (title === 'Firing alerts' || queries.every((query) => OFF_IN_THE_DEMO.test(query))) continue;
        expect(missing.length, `${prefix}: the whole panel is empty`).toBeLessThan(queries.length);
        const attacked = DEMO_SCENARIO.steps.some((step) => step.do === 'subprefix_hijack' && step.prefix === prefix);
        const excused = missing.filter(
          (query) =>
            NOT_IN_THE_DEMO.some((pattern) => pattern.test(query)) ||
            (query.includes('bgp_prefix_more_specific_vps') && !attacked),
        );
        expect(missing, prefix).toEqual(excused);
      }
    });

    it('annotations mark the outage and the hijack of the demo', async () => {
      const found = async (name: string, prefix: string) => {
        const annotation = dashboards()
          .get('prefix.json')!
          .annotations.list!.find((each) => each.name === name)!;
        return prometheus.points(filled(annotation.expr!, prefix), startMs, Date.now(), 5);
      };
      expect(await found('Outages', '192.23.62.0/24')).toBeGreaterThan(0);
      expect(await found('Outages', '198.51.100.0/24')).toBe(0);
      expect(await found('Origin changes', '198.51.100.0/24')).toBeGreaterThan(0);
    });

    it('no rule of the stack fails to evaluate, and nothing that the demo should not alert on fires', async () => {
      const { groups } = await prometheus.get<{
        groups: { rules: { name: string; health: string; lastError?: string }[] }[];
      }>('rules');
      const rules = groups.flatMap((group) => group.rules);
      expect(rules).toHaveLength(RULES.length);
      expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
      const firing = await prometheus.query('ALERTS{alertstate="firing", alertname!~"BGPPrefix.+"}');
      expect(firing).toEqual([]);
    });
  });
});

it('the file is one that old and new compose read: no name, no version, images with defaults', () => {
  const file = parse(readFileSync(`${ROOT}docker-compose.yml`, 'utf8'), { merge: true }) as {
    name?: string;
    services: Record<string, { image: string; read_only: boolean; healthcheck?: object; profiles?: string[] }>;
  };
  expect(file.name).toBeUndefined();
  for (const [service, { image, read_only, healthcheck, profiles }] of Object.entries(file.services)) {
    expect(image, service).toMatch(/^\$\{[A-Z_]+_IMAGE:-[a-z/-]+:[\w.]+\}$/);
    // Kafka's image writes its settings beside its programs at each start.
    if (service !== 'kafka') expect(read_only, service).toBe(true);
    if (profiles === undefined) expect(healthcheck, service).toBeDefined();
  }
});
