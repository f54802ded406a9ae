/** The page for people, against a simulator: what it says when the stream goes, and when strangers announce; and OTLP beside it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { PrefixList } from '../../src/outputs/page/api-schemas.ts';
import { until } from '../support/patience.ts';
import { P4, samples, world } from './world.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

it('shows old counts as old, with the words of the service, until the stream is back', async () => {
  const made = await world({ prefixes: `[{prefix: ${P4}, upstreams: [64999]}]` });
  const { simulator } = made;
  const exporter = await made.start();
  const page = async (): Promise<string> => (await fetch(`http://${exporter.address}/`)).text();
  const shows = (text: RegExp) => until(async () => expect(await page()).toMatch(text), 50);
  await shows(/<\/svg>Unexpected upstream<\/span>/);
  await shows(/>100 %<\/span>/);

  const [vp] = simulator.vantagePoints().filter(({ isLive }) => isLive);
  simulator.announce(vp.key, '192.23.62.128/25', { asPath: '3333 64666' });
  await shows(/<\/svg>More-specific seen<\/span>/);
  await shows(/<code>192\.23\.62\.128\/25<\/code> 1/);

  simulator.faults.refuse(1_000, 'Another client is already connected with this API key');
  simulator.faults.cut();
  await shows(
    /session 0: down for \d+ s: the service refuses the stream: Another client is already connected with this API key/,
  );
  await shows(/<\/svg>Old: stream down<\/span>/);
  simulator.faults.clear();
  await shows(/<\/svg>More-specific seen<\/span>/);
  expect(await page()).not.toContain('down for');
});

it('says what /metrics and OTLP say', async () => {
  const bodies: string[] = [];
  const collector = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      bodies.push(body);
      response.setHeader('content-type', 'application/json');
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  stops.push(() => collector.close());
  const { port } = collector.address() as AddressInfo;
  const made = await world({
    prefixes: `[{prefix: ${P4}, origins: [64999]}]`,
    more: `otlp: {endpoint: "http://127.0.0.1:${port}", protocol: http/json, interval: 1s}`,
  });
  const exporter = await made.start();
  const seen = () => exporter.table.prefixes.find(P4)?.visible ?? 0;
  await until(() => expect(seen()).toBeGreaterThan(0));
  await until(async () => {
    const answer = await fetch(`http://${exporter.address}/api/v1/prefixes`);
    const [row] = ((await answer.json()) as PrefixList).prefixes;
    const scraped = await samples(exporter);
    const numbers: [string, number | null][] = [
      ['bgp.prefix.visible_vps', row.visible_vps],
      ['bgp.prefix.expected_vps', row.expected_vps],
      ['bgp.prefix.unexpected_origin_vps', row.unexpected_origin_vps],
      ['bgp.prefix.origins', row.origin_count],
    ];
    for (const [name, value] of numbers) {
      expect(scraped.get(`${name.replaceAll('.', '_')}{prefix="${P4}"}`)).toBe(value);
      expect(exported(bodies.at(-1) ?? '{}', name)).toBe(value);
    }
  }, 100);
});

interface Export {
  readonly resourceMetrics?: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly gauge?: { readonly dataPoints: readonly { readonly asInt?: string; readonly asDouble?: number }[] };
      }[];
    }[];
  }[];
}

/** The only value of a gauge in a request of OTLP. */
function exported(body: string, name: string): number | undefined {
  const { resourceMetrics = [] } = JSON.parse(body) as Export;
  const metrics = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  const [point] = metrics.find((metric) => metric.name === name)?.gauge?.dataPoints ?? [];
  return point === undefined ? undefined : Number(point.asInt ?? point.asDouble);
}
