/**
 * Through OTLP: exporter, a real collector, a real Prometheus that scrapes the collector as the stack does. The same
 * dashboards have their data, and the same rules their alerts, as with a scrape of the exporter.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { dashboards } from '../../dashboards/src/generate.ts';
import type { Simulator } from '../../src/simulator/contract.ts';
import { scenario } from '../../src/simulator/scenario/scenario.ts';
import { hasEngine } from '../alerts/engine.ts';
import { type ExporterUnderTest, simulate, startExporterOn } from '../alerts/exporter-under-test.ts';
import { type Monitoring, startMonitoring } from '../alerts/monitoring.ts';
import { panelsOf, targetsOf } from '../dashboards/lint.ts';
import { filled } from '../dashboards/promql.ts';
import { type Collector, prepareCollector, startCollector } from './collector/collector.ts';

const OFFICE = '192.0.2.0/24';
const WITHIN = { timeout: 60_000, interval: 250 };

describe.skipIf(!hasEngine())('through OTLP', () => {
  let collector: Collector;
  let simulator: Simulator;
  let under: ExporterUnderTest;
  let monitoring: Monitoring;
  let startMs: number;
  /** The collector's page, where a container can reach it. */
  const page = createServer((_request, response) => {
    collector.scrape().then(
      (body) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(body),
      () => response.writeHead(502).end(),
    );
  });

  beforeAll(async () => {
    await prepareCollector();
    collector = await startCollector();
    await new Promise<void>((resolve) => page.listen(0, '0.0.0.0', resolve));
    simulator = await simulate({
      vps: 60,
      scenario: scenario({
        churn_per_minute: 600,
        prefixes: [
          { prefix: OFFICE, origin: 64500, upstreams: [1103, 3356] },
          { prefix: '198.51.100.0/24', origin: 64501 },
        ],
      }),
    });
    under = await startExporterOn(simulator, {
      prefixes: [{ prefix: OFFICE, origins: [64500], group: 'core' }, { prefix: '198.51.100.0/24' }],
      rpki: { sources: [{ url: `${simulator.url}/rpki.json`, interval: '10s' }] },
      // The origins are documentation numbers, which would be odd in a path.
      paths: { allowed: [64500, 64501] },
      otlp: { endpoint: collector.endpoint, interval: '1s' },
    });
    startMs = Date.now();
    monitoring = await startMonitoring([], (page.address() as AddressInfo).port);
    await vi.waitFor(async () => {
      const [trusted] = await monitoring.prometheus.query('bgp:exporter_trusted:bool == 1');
      expect(trusted?.metric.job).toBe('bgproutes-exporter');
    }, WITHIN);
  }, 1_200_000);

  afterAll(async () => {
    await monitoring?.stop();
    await under?.exporter.stop();
    await simulator?.stop();
    await collector?.stop();
    page.closeAllConnections();
    page.close();
  });

  it('an outage fires the same alert, under the job and instance of the exporter, and without labels of the collector', async () => {
    simulator.step({ do: 'outage', prefix: OFFICE });
    await vi.waitFor(async () => {
      expect(await monitoring.prometheus.firing()).toContain(`BGPPrefixNotVisible ${OFFICE}`);
    }, WITHIN);
    const [alert] = await monitoring.prometheus.query('ALERTS{alertname="BGPPrefixNotVisible", alertstate="firing"}');
    const [info] = await monitoring.prometheus.query('bgp_exporter_build_info');
    expect(info!.metric.instance).not.toBe('');
    expect(alert!.metric).toEqual({
      __name__: 'ALERTS',
      alertname: 'BGPPrefixNotVisible',
      alertstate: 'firing',
      severity: 'critical',
      job: 'bgproutes-exporter',
      instance: info!.metric.instance,
      prefix: OFFICE,
      afi: 'ipv4',
      group: 'core',
    });
    simulator.step({ do: 'recovery', prefix: OFFICE });
    await vi.waitFor(async () => expect(await monitoring.prometheus.firing()).toEqual([]), WITHIN);
  });

  it.each([...dashboards().keys()])('every panel of %s has data', async (file) => {
    const choice = { job: 'bgproutes-exporter', prefix: OFFICE, range: '1m', interval: '1s', rateInterval: '10s' };
    for (const panel of panelsOf(dashboards().get(file)!)) {
      // One exporter is no fleet.
      if (targetsOf(panel).every(({ expr }) => expr.includes('bgp_fleet_'))) continue;
      const points = await Promise.all(
        targetsOf(panel).map(({ expr }) => monitoring.prometheus.points(filled(expr, choice), startMs, Date.now(), 1)),
      );
      expect(Math.max(...points), panel.title).toBeGreaterThan(0);
    }
  });
});
