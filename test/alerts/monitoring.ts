/** A real Prometheus and a real Alertmanager in containers, with the bundled rules, and what the latter sends out. */

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { parse, stringify } from 'yaml';
import { IMAGES } from './engine.ts';
import { ALERTS_FOLDER, type Rule, readRules } from './rules-file.ts';

const HOST = 'host.docker.internal';
/** How long a container may take to be ready; on a busy machine the usual minute is too little. */
const START_MS = 300_000;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A day of the rules is 24 minutes here, a minute a second. */
const FASTER = 60;

/** A duration of Prometheus, so many times shorter: `5m` is `5s`, but never under a second. */
function faster(duration: string, factor: number): string {
  const [, number, unit] = /^(\d+)([smhdw])$/.exec(duration)!;
  return `${Math.max(1_000, (Number(number) * UNIT_MS[unit!]!) / factor)}ms`;
}

/** The bundled rules with every duration so many times shorter; other numbers that are compared stay. */
export function fasterRules(factor = FASTER): string {
  const ranges = (expr: string) =>
    expr
      .replace(/\[(\d+[smhdw])(?::(\d+[smhdw]))?\]/g, (_, range: string, step?: string) =>
        step === undefined ? `[${faster(range, factor)}]` : `[${faster(range, factor)}:${faster(step, factor)}]`,
      )
      .replace(/offset (\d+[smhdw])/g, (_, offset: string) => `offset ${faster(offset, factor)}`)
      // How long a prefix has been known is compared with seconds.
      .replace(/time\(\) - (\d+)\b/g, (_, seconds: string) => `time() - ${Number(seconds) / factor}`);
  const rule = ({ expr, for: wait, keep_firing_for: keep, ...rest }: Rule) => ({
    ...rest,
    expr: ranges(expr),
    ...(wait === undefined ? {} : { for: faster(wait, factor) }),
    ...(keep === undefined ? {} : { keep_firing_for: faster(keep, factor) }),
  });
  return stringify({
    groups: readRules().groups.map((group) => ({
      name: group.name,
      ...(group.interval === undefined ? {} : { interval: faster(group.interval, factor) }),
      rules: group.rules.map(rule),
    })),
  });
}

interface AlertmanagerConfig {
  route: Record<string, unknown> & { routes: Record<string, unknown>[] };
  receivers: { name: string; webhook_configs?: unknown[] }[];
}

/** The bundled example, at once rather than after seconds, each receiver with a way out to `url`. */
function fasterAlertmanager(url: string): string {
  const config = parse(readFileSync(`${ALERTS_FOLDER}alertmanager.example.yml`, 'utf8')) as AlertmanagerConfig;
  Object.assign(config.route, { group_wait: '0s', group_interval: '1s' });
  for (const receiver of config.receivers) {
    receiver.webhook_configs = [{ url: `${url}/${receiver.name}`, send_resolved: true }];
  }
  return stringify(config);
}

/** One alert of one message that Alertmanager sent to a receiver. */
export interface Sent {
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  readonly alertname: string;
  readonly prefix: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A Prometheus' HTTP API. */
export class PrometheusApi {
  readonly url: string;
  constructor(url: string) {
    this.url = url;
  }

  async get<T>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const body = (await response.json()) as { status: string; error?: string; data: T };
    if (body.status !== 'success') throw new Error(`${body.error}: ${JSON.stringify(parameters)}`);
    return body.data;
  }

  /** An instant query. */
  async query(query: string): Promise<Sample[]> {
    const { result } = await this.get<{
      result: { metric: Record<string, string>; value: [number, string] }[];
    }>('query', { query });
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** How many points a range query gives, over all series. */
  async points(query: string, startMs: number, endMs: number, stepSeconds: number): Promise<number> {
    const { result } = await this.get<{ result: { values: unknown[] }[] }>('query_range', {
      query,
      start: String(startMs / 1000),
      end: String(endMs / 1000),
      step: String(stepSeconds),
    });
    return result.reduce((sum, { values }) => sum + values.length, 0);
  }

  /** Names of the alerts that fire, each with its prefix, sorted: `BGPStreamDown`, `BGPPrefixNotVisible 192.0.2.0/24`. */
  firing(): Promise<string[]> {
    return this.#alerts('ALERTS{alertstate="firing"}');
  }

  /** The same, with those that will fire when their time has passed. */
  firingOrPending(): Promise<string[]> {
    return this.#alerts('ALERTS');
  }

  async #alerts(selector: string): Promise<string[]> {
    const samples = await this.query(`group by (alertname, prefix) (${selector})`);
    return samples.map(({ metric }) => `${metric.alertname} ${metric.prefix ?? ''}`.trim()).sort();
  }
}

export interface Monitoring {
  readonly prometheus: PrometheusApi;
  readonly alertmanagerUrl: string;
  /** Everything that was sent, oldest first. */
  readonly sent: Sent[];
  stop(): Promise<void>;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '0.0.0.0', () => resolve((server.address() as AddressInfo).port));
  });
}

/** How the stack scrapes a collector: what it keeps of its labels, and what it drops. */
function collectorJob(port: number): object {
  const stack = parse(readFileSync(`${ALERTS_FOLDER}../stack/prometheus.yml`, 'utf8')) as {
    scrape_configs: ({ job_name: string } & Record<string, unknown>)[];
  };
  const { dns_sd_configs: _, ...job } = stack.scrape_configs.find((each) => each.job_name === 'otel-collector')!;
  return { ...job, static_configs: [{ targets: [`${HOST}:${port}`] }] };
}

/**
 * Scrapes ports of this machine every second, those of exporters and that of a collector's page, and evaluates the bundled
 * rules, sixty times faster, as often. `rules`: those instead.
 */
export async function startMonitoring(
  exporterPorts: readonly number[],
  collectorPort?: number,
  rules = fasterRules(),
): Promise<Monitoring> {
  const sent: Sent[] = [];
  const sink = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const message = JSON.parse(Buffer.concat(parts).toString()) as {
        alerts: { status: 'firing' | 'resolved'; labels: Record<string, string> }[];
      };
      for (const { status, labels } of message.alerts) {
        const receiver = request.url!.slice(1);
        sent.push({ receiver, status, alertname: labels.alertname!, prefix: labels.prefix, labels });
      }
      response.end();
    });
  });
  const sinkPort = await listen(sink);
  const hosts = [{ host: HOST, ipAddress: 'host-gateway' }];
  const containers: StartedTestContainer[] = [];
  const stop = async () => {
    await Promise.all(containers.map((container) => container.stop()));
    sink.closeAllConnections();
    sink.close();
  };
  try {
    const alertmanager = await new GenericContainer(IMAGES.alertmanager)
      .withExtraHosts(hosts)
      .withExposedPorts(9093)
      .withCopyContentToContainer([
        { content: fasterAlertmanager(`http://${HOST}:${sinkPort}`), target: '/etc/alertmanager/alertmanager.yml' },
      ])
      .withWaitStrategy(Wait.forHttp('/-/ready', 9093))
      .withStartupTimeout(START_MS)
      .start();
    containers.push(alertmanager);
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yml'],
      alerting: {
        alertmanagers: [{ static_configs: [{ targets: [`${HOST}:${alertmanager.getMappedPort(9093)}`] }] }],
      },
      scrape_configs: [
        {
          job_name: 'bgproutes-exporter',
          static_configs: [{ targets: exporterPorts.map((port) => `${HOST}:${port}`) }],
        },
        ...(collectorPort === undefined ? [] : [collectorJob(collectorPort)]),
      ],
    };
    const prometheus = await new GenericContainer(IMAGES.prometheus)
      .withExtraHosts(hosts)
      .withExposedPorts(9090)
      .withCopyContentToContainer([
        { content: stringify(config), target: '/etc/prometheus/prometheus.yml' },
        { content: rules, target: '/etc/prometheus/rules.yml' },
      ])
      .withCommand([
        '--config.file=/etc/prometheus/prometheus.yml',
        '--storage.tsdb.path=/prometheus',
        '--rules.alert.resend-delay=1s',
      ])
      .withWaitStrategy(Wait.forHttp('/-/ready', 9090))
      .withStartupTimeout(START_MS)
      .start();
    containers.push(prometheus);
    const url = (container: StartedTestContainer, port: number) =>
      `http://${container.getHost()}:${container.getMappedPort(port)}`;
    return {
      prometheus: new PrometheusApi(url(prometheus, 9090)),
      alertmanagerUrl: url(alertmanager, 9093),
      sent,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
