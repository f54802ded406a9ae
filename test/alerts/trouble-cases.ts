/**
 * An exporter, a stream or validated data in trouble that goes on while something else happens: for each alert that is not about
 * a prefix, and each mishap, either a case in which the alert must not resolve, or the reason why there can be none.
 */
import {
  exporterMetrics as exporter,
  fleetMetrics as fleet,
  ingestMetrics as ingest,
  prefixMetrics as prefix,
  rpkiMetrics as rpki,
  streamMetrics as stream,
  tableMetrics as table,
} from '../../src/metrics/catalogue.ts';
import { MISHAPS, type Mishap } from './mishaps.ts';
import type { RuleTest } from './rule-test.ts';
import { seriesOf, worldOfSeries } from './samples.ts';
import { CALM, counter, healthy, INSTANCE, levels, of, type Steps, type World } from './world.ts';

const FROM = 60;
/** Enough for the longest. */
const MINUTES = 240;

const RESTART = 'a restart';
const LONG_RESTART = 'a restart that takes half an hour and loses the denominator';
const CUT = 'a stream that is cut for an hour';
const SILENCE = 'a source that is silent for an hour';
const UNSEEN =
  'what an exporter says of itself is not known while it is away: BGPExporterDown takes its place, and it fires again';
const NO_MESSAGES = 'no message comes that could be wrong or late: BGPStreamDown or BGPStreamStale takes its place';
const AWAY = 'an exporter that is away has no stream, no clock and no window';

interface Trouble {
  readonly alert: string;
  readonly severity: 'critical' | 'warning';
  /** Tells it from its siblings. */
  readonly why?: string;
  /** The alert is about all exporters of the fleet, and names none. */
  readonly isOfFleet?: boolean;
  /** From minute FROM to the end. */
  readonly world: World;
  /** After so many minutes it fires. */
  readonly fires: number;
  /** It ends by itself after so many minutes. Default: never. */
  readonly lasts?: number;
  /** Why there can be no case, by the name of the mishap. */
  readonly cannot: Readonly<Record<string, string>>;
}

const fails = (...steps: Steps): string => levels([1, FROM], ...steps);
const gauge = (value: 0 | 1) => fails([value, MINUTES - FROM]);
const grows = (minutes = MINUTES - FROM) => counter([0, FROM], [1, minutes]);
const session = (name: string, labels: Readonly<Record<string, string>> = {}) => of.session(name, labels);
const SOURCE = { rpki_source: '0' };
const PARTITION = { partition: '46' };

const TROUBLES: readonly Trouble[] = [
  {
    alert: 'BGPExporterDown',
    severity: 'critical',
    world: {},
    fires: 3,
    cannot: Object.fromEntries(
      MISHAPS.map(({ name }) => [name, name.startsWith(RESTART) ? 'a start is the end of it' : AWAY]),
    ),
  },
  {
    alert: 'BGPExporterUnstable',
    severity: 'warning',
    world: Object.fromEntries(
      [of.exporter(table.tableSeeded.name), of.prefix(prefix.prefixTrusted.name)].map((series) => [
        series,
        fails(...Array.from({ length: (MINUTES - FROM) / 6 }, () => [[0, 4] as const, [1, 2] as const]).flat()),
      ]),
    ),
    fires: 50,
    cannot: {
      [LONG_RESTART]: UNSEEN,
      [CUT]: 'it does not come and go any more: BGPStreamDown takes its place',
      [SILENCE]: 'it does not come and go any more: BGPStreamStale takes its place',
    },
  },
  {
    alert: 'BGPExporterConnectionsCut',
    severity: 'warning',
    world: { [of.exporter(exporter.exporterHttpCutConnections.name, { reason: 'slow_answer' })]: grows() },
    fires: 20,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
  {
    alert: 'BGPExporterConfigRefused',
    severity: 'warning',
    world: { [of.exporter(exporter.exporterConfigLastReloadSuccessful.name)]: gauge(0) },
    fires: 8,
    cannot: Object.fromEntries(
      MISHAPS.filter(({ name }) => name.startsWith(RESTART)).map(({ name }) => [
        name,
        'it does not start with a wrong configuration: BGPExporterDown takes its place',
      ]),
    ),
  },
  {
    alert: 'BGPStreamDown',
    severity: 'critical',
    world: { [session(stream.streamUp.name)]: gauge(0) },
    fires: 3,
    cannot: { [LONG_RESTART]: UNSEEN, [SILENCE]: 'a stream that is down is silent' },
  },
  {
    alert: 'BGPStreamStale',
    severity: 'warning',
    why: 'expired',
    world: { [session(stream.streamSubscriptionExpiry.name)]: levels([FROM * 60, MINUTES]) },
    fires: 8,
    cannot: { [LONG_RESTART]: UNSEEN, [CUT]: 'a stream that is cut is not connected: BGPStreamDown takes its place' },
  },
  {
    alert: 'BGPStreamDelayed',
    severity: 'warning',
    world: {
      [session(`${stream.streamDelay.name}_bucket`, { le: '60' })]: counter([30, FROM], [20, MINUTES - FROM]),
    },
    fires: 25,
    cannot: { [LONG_RESTART]: UNSEEN, [CUT]: NO_MESSAGES, [SILENCE]: NO_MESSAGES },
  },
  {
    alert: 'BGPStreamDecodeFailures',
    severity: 'warning',
    world: { [session(stream.streamDecodeFailures.name, { reason: 'invalid_json' })]: grows() },
    fires: 25,
    cannot: { [LONG_RESTART]: UNSEEN, [CUT]: NO_MESSAGES, [SILENCE]: NO_MESSAGES },
  },
  {
    alert: 'BGPTableNotSeeded',
    severity: 'warning',
    world: { [of.exporter(table.tableSeeded.name)]: gauge(0) },
    fires: 20,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
  {
    alert: 'BGPTableSourceNotSeeded',
    severity: 'warning',
    world: { [of.prefix(prefix.prefixSourceTrusted.name, { source: 'bgproutes' })]: gauge(0) },
    fires: 62,
    cannot: {
      [LONG_RESTART]: UNSEEN,
      [CUT]: 'a source that is cut is not connected: BGPStreamDown takes its place',
    },
  },
  {
    alert: 'BGPTableDrift',
    severity: 'warning',
    // Each hour a comparison corrects a tenth of the routes.
    world: { [of.exporter(table.tableSeedCorrections.name)]: levels([0, 61], [100, 60], [200, 60], [300, 59]) },
    fires: 8,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
  {
    alert: 'BGPTableFull',
    severity: 'warning',
    world: { [session(stream.streamDroppedEvents.name, { reason: 'vp_limit' })]: grows() },
    fires: 8,
    cannot: { [LONG_RESTART]: UNSEEN, [CUT]: NO_MESSAGES, [SILENCE]: NO_MESSAGES },
  },
  {
    alert: 'BGPTableFullFeedUnusable',
    severity: 'warning',
    world: { [of.exporter(table.tableFullFeedUsable.name)]: gauge(0) },
    fires: 62,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
  {
    alert: 'BGPTableSnapshotFailing',
    severity: 'warning',
    world: {
      [of.exporter(table.tableSnapshots.name, { result: 'success' })]: counter([1, FROM], [0, MINUTES - FROM]),
      [of.exporter(table.tableSnapshots.name, { result: 'error' })]: grows(),
    },
    fires: 20,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
  {
    alert: 'BGPSubscriptionExpiring',
    severity: 'warning',
    world: {
      [session(stream.streamSubscriptionExpiry.name)]: levels([(MINUTES + 60) * 60, FROM], [0, MINUTES - FROM]),
    },
    fires: 8,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
  {
    alert: 'BGPSubscriptionReplaced',
    severity: 'warning',
    world: { [session(stream.streamSubscriptionLosses.name)]: grows() },
    fires: 4,
    cannot: {
      [LONG_RESTART]: UNSEEN,
      [CUT]: 'nobody hears by which list a stream speaks that does not',
      [SILENCE]: 'nobody hears by which list a stream speaks that does not',
    },
  },
  {
    alert: 'BGPRpkiDataStale',
    severity: 'warning',
    world: { [of.exporter(rpki.rpkiUsable.name)]: gauge(0) },
    fires: 20,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
  {
    alert: 'BGPRpkiSourceDown',
    severity: 'warning',
    world: { [of.exporter(rpki.rpkiUp.name, SOURCE)]: gauge(0) },
    fires: 35,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
  {
    alert: 'BGPRpkiDataShrunk',
    severity: 'warning',
    world: {
      [of.exporter(rpki.rpkiUp.name, SOURCE)]: levels([1, MINUTES]),
      [of.exporter(rpki.rpkiVrps.name, { ...SOURCE, ta: 'ripe' })]: levels([1000, FROM], [100, MINUTES - FROM]),
    },
    fires: 8,
    // It compares with the hour before.
    lasts: 60,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
  {
    alert: 'BGPFleetPartitionUnowned',
    severity: 'critical',
    isOfFleet: true,
    world: {
      [of.exporter(fleet.fleetPartitions.name)]: levels([64, MINUTES]),
      [of.exporter(fleet.fleetPartitionsOwned.name)]: levels([64, FROM], [63, MINUTES - FROM]),
    },
    fires: 12,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
  {
    alert: 'BGPFleetLagging',
    severity: 'warning',
    world: {
      [of.exporter(fleet.fleetWatermarkTimestamp.name, PARTITION)]:
        `0+60x${FROM - 1} ${levels([FROM * 60, MINUTES - FROM])}`,
      [of.exporter(fleet.fleetLag.name, PARTITION)]: levels([0, FROM], [900, MINUTES - FROM]),
    },
    fires: 12,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
  {
    alert: 'BGPFleetStateStale',
    severity: 'warning',
    world: {
      [of.exporter(fleet.fleetPartitionOwner.name, PARTITION)]: levels([1, MINUTES]),
      [of.exporter(fleet.fleetStateTimestamp.name, PARTITION)]:
        `0+60x${FROM - 1} ${levels([FROM * 60, MINUTES - FROM])}`,
    },
    fires: 78,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
  {
    alert: 'BGPFleetSourceDown',
    severity: 'critical',
    isOfFleet: true,
    world: {
      [of.exporter(fleet.fleetPartitions.name)]: levels([64, MINUTES]),
      [of.exporter(fleet.fleetPartitionsOwned.name)]: levels([64, MINUTES]),
      [session(stream.streamUp.name, { source: 'fleet' })]: gauge(0),
    },
    fires: 3,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
  {
    alert: 'BGPFleetMemberOut',
    severity: 'warning',
    world: { [of.exporter(fleet.fleetMember.name)]: gauge(0) },
    fires: 6,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
  {
    alert: 'BGPFleetUnreadable',
    severity: 'warning',
    world: { [of.exporter(fleet.fleetUnreadable.name, { reason: 'damaged' })]: grows() },
    fires: 4,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
  {
    alert: 'BGPIngestWriteFailing',
    severity: 'warning',
    why: 'refused',
    world: { [of.exporter(ingest.ingestFailures.name)]: grows() },
    fires: 14,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
  {
    alert: 'BGPOtlpExportFailing',
    severity: 'warning',
    world: {
      [of.exporter(exporter.exporterOtlpExports.name, { result: 'success' })]: counter([1, FROM], [0, MINUTES - FROM]),
      [of.exporter(exporter.exporterOtlpExports.name, { result: 'unavailable' })]: grows(),
    },
    fires: 20,
    cannot: { [LONG_RESTART]: UNSEEN },
  },
];

/** Why there can be no case of an alert over a mishap, by its name. */
export const CANNOT: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map(
  TROUBLES.map(({ alert, cannot }) => [alert, cannot]),
);

export const troubleTests: readonly RuleTest[] = TROUBLES.flatMap((trouble) =>
  MISHAPS.filter(({ name }) => trouble.cannot[name] === undefined).map((mishap) => goesOn(trouble, mishap)),
);

function goesOn(
  { alert, severity, why, isOfFleet = false, world, fires, lasts = MINUTES }: Trouble,
  mishap: Mishap,
): RuleTest {
  const first = FROM + fires;
  const begins = first + 10;
  const last = Math.min(begins + mishap.minutes + 15, FROM + lasts);
  const all = { ...healthy(MINUTES), ...world };
  const series = seriesOf(all).filter(({ labels }) => labels.get('prefix') !== CALM);
  const sibling = why === undefined ? '' : `, why="${why}"`;
  const fired = `ALERTS{alertname="${alert}", severity="${severity}"${sibling}, instance="${isOfFleet ? '' : INSTANCE}", alertstate="firing"}`;
  return {
    alert,
    kinds: ['goes on'],
    mishap,
    name: `over ${mishap.name}`,
    minutes: MINUTES,
    world: worldOfSeries(mishap.apply(series, begins)),
    checks: [],
    values: [
      { at: FROM - 1, expr: `count(${fired})`, value: undefined },
      { at: last, expr: `sum(count_over_time(${fired}[${last - first}m30s]))`, value: last - first + 1 },
    ],
  };
}
