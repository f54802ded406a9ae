/**
 * The bundled rules in a real Prometheus, the bundled example in a real Alertmanager, on a real exporter of a generated
 * Internet: what happens to prefixes and to the stream reaches the receivers, and nothing else does. A minute of the rules
 * is a second here.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import type { Simulator } from '../../src/simulator/contract.ts';
import { scenario } from '../../src/simulator/scenario/scenario.ts';
import { hasEngine } from '../alerts/engine.ts';
import { type ExporterUnderTest, simulate, startExporterOn } from '../alerts/exporter-under-test.ts';
import { fasterRules, type Monitoring, type Sent, startMonitoring } from '../alerts/monitoring.ts';
import type { Rule } from '../alerts/rules-file.ts';

const OFFICE = '192.0.2.0/24';
const SHOP = '198.51.100.0/24';
const MAIL = '2001:db8:100::/40';
const CANARY = '203.0.113.0/24';
/** What takes hours is tested with promtool, where hours pass at once. */
const NOT_HERE = [
  'bgp:stream_stale:bool mute', // six hours without a frame
  'bgp:stream_stale:bool silence', // there is a canary here
  'bgp:prefix_vps_gone:bool', // four fifths of the VPs down
  'bgp:prefix_fault:value region_not_visible', // a whole region that loses a prefix
  'BGPPrefixRegionNotVisible warning', // that too
  'bgp:prefix_fault:forgotten', // a restart
  'bgp:prefix_source_away:bool', // one of two sources that is cut
  'bgp:prefix_source_missed:bool', // that too
  'bgp:prefix_fault:unseen', // and a fault that only it shows
  'bgp:exporter_gone:timestamp', // the next test
  'bgp:exporters_missing:bool', // there too
  'BGPSubscriptionReplaced warning', // a second client with the key
  'BGPTableSourceNotSeeded warning', // one of two sources whose history is dead for an hour
  'BGPTableFullFeedUnusable warning', // a list without table sizes, for an hour
  'BGPTableFull warning', // more vantage points than there may be
  'BGPTableSnapshotFailing warning', // a disk that is full
  'BGPExporterConnectionsCut warning', // a client that is cut for a quarter of an hour
  'BGPExporterConfigRefused warning', // nobody reloads anything here
  'bgp:prefix_fault:handed_over', // a fleet
  'BGPFleetPartitionUnowned critical', // that too
  'BGPFleetLagging warning', // that too
  'BGPFleetStateStale warning', // that too
  'BGPFleetSourceDown critical', // that too
  'BGPFleetMemberOut warning', // that too
  'BGPFleetUnreadable warning', // that too
  'BGPIngestWriteFailing warning', // that too
  'BGPStreamStale warning', // rules-slow-faults.test.ts
  'BGPStreamDelayed warning', // there too
  'BGPSubscriptionExpiring warning', // there too
  'BGPExporterUnstable warning', // half an hour of cuts
  'BGPExporterDown critical', // the next test
];
/** No validator is asked here; promtool plays what is told of its data. */
const OF_VALIDATED_DATA = /rpki|aspa|path_?leak|path_?anomaly/i;
const fastRules = (parse(fasterRules()) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const WITHIN = { timeout: 60_000, interval: 250 };

describe.skipIf(!hasEngine())('alerts about a running exporter', () => {
  let simulator: Simulator;
  let under: ExporterUnderTest;
  let monitoring: Monitoring;
  let startMs: number;
  /** Takes what is pushed, or is busy. */
  let collectorStatus = 200;
  const collector = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(collectorStatus, { 'content-type': 'application/x-protobuf' }).end());
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    simulator = await simulate({
      vps: 60,
      scenario: scenario({
        churn_per_minute: 120,
        prefixes: [
          { prefix: OFFICE, origin: 64500, upstreams: [1103, 3356] },
          { prefix: SHOP, origin: 64501, upstreams: [1299, 6453] },
          { prefix: MAIL, origin: 64502, upstreams: [2914] },
          { prefix: CANARY, origin: 64503 },
        ],
      }),
    });
    under = await startExporterOn(simulator, {
      prefixes: [
        { prefix: OFFICE, origins: [64500], upstreams: [1103, 3356], group: 'core', description: 'office' },
        { prefix: SHOP, origins: [64501], group: 'services', description: 'web shop' },
        { prefix: MAIL },
      ],
      bgproutes: { canary_prefix: CANARY },
      otlp: { endpoint: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`, interval: '1s' },
    });
    startMs = Date.now();
    monitoring = await startMonitoring([under.port]);
    // Seeded, scraped, and a quarter of an hour of history: fifteen seconds.
    await vi.waitFor(async () => {
      expect(await monitoring.prometheus.query('bgp:exporter_trusted:bool == 1')).toHaveLength(1);
      expect(await monitoring.prometheus.query('bgp:prefix_visible:baseline1d > 0')).toHaveLength(3);
    }, WITHIN);
  });

  afterAll(async () => {
    await monitoring?.stop();
    await under?.exporter.stop();
    await simulator?.stop();
    collector.closeAllConnections();
    collector.close();
  });

  const sent = (alertname: string, status: Sent['status']) =>
    monitoring.sent.filter((each) => each.alertname === alertname && each.status === status);
  const prefixesThatFired = () => [
    ...new Set(monitoring.sent.filter((each) => each.status === 'firing').map((each) => each.prefix)),
  ];
  /** Nothing fires, and nothing is about to. */
  const quiet = (timeout = WITHIN.timeout) =>
    vi.waitFor(async () => expect(await monitoring.prometheus.firingOrPending()).toEqual([]), { ...WITHIN, timeout });

  it('nothing fires while nothing happens', async () => {
    expect(await monitoring.prometheus.firing()).toEqual([]);
    expect(monitoring.sent).toEqual([]);
  });

  it('an outage reaches the owners of the prefix and the pager, and a recovery resolves it', async () => {
    simulator.step({ do: 'outage', prefix: OFFICE });
    await vi.waitFor(() => expect(sent('BGPPrefixNotVisible', 'firing').length).toBeGreaterThan(0), WITHIN);
    expect(sent('BGPPrefixNotVisible', 'resolved')).toEqual([]);
    const [alert] = sent('BGPPrefixNotVisible', 'firing');
    expect(alert!.labels).toMatchObject({ prefix: OFFICE, group: 'core', description: 'office', severity: 'critical' });

    simulator.step({ do: 'recovery', prefix: OFFICE });
    await vi.waitFor(() => expect(sent('BGPPrefixNotVisible', 'resolved').length).toBeGreaterThan(0), WITHIN);
    expect(new Set(sent('BGPPrefixNotVisible', 'firing').map((each) => each.receiver))).toEqual(
      new Set(['pager', 'core-team']),
    );
    expect(prefixesThatFired()).toEqual([OFFICE]);
    await quiet();
  });

  it('a hijack does the same for the unexpected origin', async () => {
    monitoring.sent.length = 0;
    simulator.step({ do: 'hijack', prefix: SHOP, by: 64666 });
    await vi.waitFor(() => expect(sent('BGPPrefixUnexpectedOrigin', 'firing').length).toBeGreaterThan(0), WITHIN);
    simulator.step({ do: 'recovery', prefix: SHOP });
    await vi.waitFor(() => expect(sent('BGPPrefixUnexpectedOrigin', 'resolved').length).toBeGreaterThan(0), WITHIN);
    expect(prefixesThatFired()).toEqual([SHOP]);
    expect(new Set(sent('BGPPrefixUnexpectedOrigin', 'firing').map((each) => each.receiver))).toEqual(
      new Set(['pager', 'services-team']),
    );
    await quiet();
  });

  it('a prefix without configured origins has a second one', async () => {
    simulator.step({ do: 'hijack', prefix: MAIL, by: 64667 });
    await vi.waitFor(async () => {
      expect(await monitoring.prometheus.firing()).toContain(`BGPPrefixMultipleOrigins ${MAIL}`);
    }, WITHIN);
    simulator.step({ do: 'recovery', prefix: MAIL });
    await quiet();
  });

  it('a more-specific is announced inside a prefix', async () => {
    simulator.step({ do: 'subprefix_hijack', prefix: OFFICE, more_specific: '192.0.2.128/25', by: 64668 });
    await vi.waitFor(async () => {
      expect(await monitoring.prometheus.firing()).toContain(`BGPPrefixMoreSpecificAnnounced ${OFFICE}`);
    }, WITHIN);
    simulator.step({ do: 'recovery', prefix: OFFICE });
    await quiet();
  });

  it('a cut of the stream fires for the stream, and for no prefix, though one is withdrawn meanwhile', async () => {
    monitoring.sent.length = 0;
    const startMs = Date.now();
    await simulator.faults.goDown();
    await vi.waitFor(() => expect(sent('BGPStreamDown', 'firing').length).toBeGreaterThan(0), WITHIN);
    simulator.step({ do: 'outage', prefix: OFFICE });
    // Ten minutes of the rules, in which an alert that believes the old table, or a half one, would have fired.
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(startMs + 15_000), WITHIN);
    // From the second after the cut on: the alerts of before end with the evaluation that follows.
    const seconds = Math.floor((Date.now() - startMs) / 1000) - 1;
    const over = `[${seconds}s:1s]`;
    expect(
      await monitoring.prometheus.query(`max_over_time(ALERTS{alertname=~"BGPPrefix.+", alertstate="firing"}${over})`),
    ).toEqual([]);
    const fired = monitoring.sent.filter((each) => each.status === 'firing');
    expect(new Set(fired.map((each) => `${each.alertname} to ${each.receiver}`))).toEqual(
      new Set(['BGPStreamDown to monitoring-team']),
    );

    await simulator.faults.comeBack();
    await vi.waitFor(() => expect(sent('BGPStreamDown', 'resolved').length).toBeGreaterThan(0), WITHIN);
    // The gap is filled from the Data API, and now the outage is told.
    await vi.waitFor(() => expect(sent('BGPPrefixNotVisible', 'firing').length).toBeGreaterThan(0), WITHIN);
    expect(new Set(sent('BGPPrefixNotVisible', 'firing').map((each) => each.prefix))).toEqual(new Set([OFFICE]));
  });

  it('a cut during an outage resolves nothing: the alert goes on until the truth is known', async () => {
    monitoring.sent.length = 0;
    const startMs = Date.now();
    await simulator.faults.goDown();
    await vi.waitFor(() => expect(sent('BGPStreamDown', 'firing').length).toBeGreaterThan(0), WITHIN);
    // Far longer than it is kept without a memory.
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(startMs + 15_000), WITHIN);
    expect(await monitoring.prometheus.firing()).toEqual(
      expect.arrayContaining([`BGPPrefixNotVisible ${OFFICE}`, 'BGPStreamDown']),
    );
    await simulator.faults.comeBack();
    await vi.waitFor(() => expect(sent('BGPStreamDown', 'resolved').length).toBeGreaterThan(0), WITHIN);
    expect(await monitoring.prometheus.firing()).toContain(`BGPPrefixNotVisible ${OFFICE}`);
    expect(sent('BGPPrefixNotVisible', 'resolved')).toEqual([]);

    simulator.step({ do: 'recovery', prefix: OFFICE });
    await vi.waitFor(() => expect(sent('BGPPrefixNotVisible', 'resolved').length).toBeGreaterThan(0), WITHIN);
    await quiet();
  });

  it('every rule has had data, and every alert was true at some time, but for those that take hours', async () => {
    // A third of the table changes, and nobody hears of it: a comparison with the Data API finds out. Routes that were gone
    // would be doubted first.
    simulator.faults.corrupt(60);
    simulator.step({ do: 'upstream_change', prefix: SHOP, upstreams: [6939] });
    await vi.waitFor(async () => {
      const drift = fastRules.find((rule) => rule.alert === 'BGPTableDrift')!;
      expect(await monitoring.prometheus.query(drift.expr)).toHaveLength(1);
    }, WITHIN);
    simulator.step({ do: 'recovery', prefix: SHOP });
    // What else has not happened yet, all at once and for long enough.
    simulator.step({ do: 'upstream_change', prefix: OFFICE, upstreams: [6939] });
    simulator.step({ do: 'prepend', prefix: SHOP, times: 4 });
    simulator.step({ do: 'flap', prefix: MAIL, times: 20, interval: 1_000 });
    collectorStatus = 503;
    const missing = async () => {
      // Frames that are none: more than one in a hundred.
      for (let i = 0; i < 5; i++) simulator.faults.garbage('invalid_json');
      const names: string[] = [];
      for (const { record, alert, labels, expr } of fastRules) {
        const points = await monitoring.prometheus.points(expr, startMs, Date.now(), 1);
        if (points === 0)
          names.push([record ?? alert, labels?.why ?? labels?.fault ?? labels?.severity].filter(Boolean).join(' '));
      }
      return names.filter((name) => !NOT_HERE.includes(name) && !OF_VALIDATED_DATA.test(name));
    };
    await vi.waitFor(async () => expect(await missing()).toEqual([]), { timeout: 240_000, interval: 1_000 });
    collectorStatus = 200;
    for (const prefix of [OFFICE, SHOP, MAIL]) simulator.step({ do: 'recovery', prefix });
    // Drift is told of the last two hours.
    await quiet(180_000);
  }, 480_000);

  it('an exporter that is gone fires for the exporter, and for no prefix', async () => {
    monitoring.sent.length = 0;
    await under.exporter.stop();
    await vi.waitFor(() => expect(sent('BGPExporterDown', 'firing').length).toBeGreaterThan(0), WITHIN);
    expect(await monitoring.prometheus.firing()).toEqual(['BGPExporterDown']);
  });
});
