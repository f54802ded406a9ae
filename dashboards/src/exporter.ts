/** Does the exporter know what it says? */
import { MappingType, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  exporterMetrics as e,
  prefixMetrics as p,
  streamMetrics as s,
  tableMetrics as t,
} from '../../src/metrics/catalogue.ts';
import { runtimeMetrics as r } from '../../src/metrics/runtime-metrics.ts';
import { FILL, INK } from './colours.ts';
import { withRow } from './exporter-lines.ts';
import { refused, streams } from './exporter-streams.ts';
import { outputs, resources, tableRow } from './exporter-table.ts';
import { fleetRow } from './fleet.ts';
import { validatorRow } from './legitimacy.ts';
import { GOOD_IS_ZERO, marked, NEUTRAL, stat, words } from './panels.ts';
import { increaseOverRange, select, sessionsDown } from './selectors.ts';
import { table } from './tables.ts';
import { DASHBOARDS, dashboard } from './variables.ts';

/** A row of the table of exporters: instance and job in one label, as lines have them. */
function byExporter(expression: string): string {
  return `label_replace(label_join(${expression}, "exporter", " (", "instance", "job"), "exporter", "$1)", "exporter", "(.*)")`;
}
function withoutBuild(expression: string): string {
  return `max without (version, revision, node_version) (${expression})`;
}

export function exporter() {
  const now = dashboard(
    DASHBOARDS.exporter,
    'exporter',
    'Do the exporters know what they say: streams, seeds, losses, resources?',
  )
    .withRow(new RowBuilder('Now'))
    .withPanel(
      stat({
        title: 'Sessions down',
        description:
          'Sessions that are not connected, whose prefixes are not associated with their key, or whose exporter went within the last hour. Above 0: alerts about prefixes are quiet; the reasons are below under "Connects and disconnects".',
        unit: 'none',
        width: 3,
        height: 4,
        query: sessionsDown,
        steps: GOOD_IS_ZERO,
      }),
    )
    .withPanel(
      stat({
        title: 'Table',
        description:
          'Whether every exporter knows its whole table to be complete. Incomplete for long: the Data API does not answer; see "Data API".',
        unit: 'none',
        width: 3,
        height: 4,
        query: `min(${select(t.tableSeeded)})`,
        steps: NEUTRAL,
        mappings: words('complete', 'incomplete', INK),
      }),
    )
    .withPanel(
      stat({
        title: 'Associated for',
        description:
          'Time until the first session loses the association of its prefixes with its key. It is renewed well before; below an hour the renewals fail, see "Renewals".',
        unit: 's',
        width: 3,
        height: 4,
        query: `min(${select(s.streamSubscriptionExpiry)} - time())`,
        steps: [
          { value: null, color: INK.gone },
          { value: 3600, color: INK.ok },
        ],
        mappings: [
          {
            type: MappingType.RangeToText,
            options: { from: null, to: 0, result: { text: 'ended', color: INK.gone, index: 0 } },
          },
        ],
        noValue: 'not yet associated',
      }),
    )
    .withPanel(
      stat({
        title: 'Unread frames',
        description:
          'Frames, or parts, that could not be read in the time range. A few are nothing; a stream of them is a changed format: withdrawals may be missed.',
        unit: 'none',
        width: 3,
        height: 4,
        decimals: 0,
        query: `sum(${increaseOverRange(s.streamDecodeFailures)})`,
        steps: [
          { value: null, color: INK.ok },
          { value: 10, color: INK.low },
        ],
      }),
    )
    .withPanel(
      stat({
        title: 'Corrections',
        description:
          'Routes that comparisons with the Data API had to correct in the time range: drift. More than some per mille of the table an hour: messages get lost.',
        unit: 'none',
        width: 3,
        height: 4,
        decimals: 0,
        query: `sum(${increaseOverRange(t.tableSeedCorrections)})`,
        steps: NEUTRAL,
      }),
    )
    .withPanel(
      stat({
        title: 'Configuration',
        description:
          'Whether the configuration in force is the one in the file. Refused: the last reload had a mistake, and the configuration before it stays in force; the log says what is wrong.',
        unit: 'none',
        width: 3,
        height: 4,
        query: `min(${select(e.exporterConfigLastReloadSuccessful)})`,
        steps: NEUTRAL,
        mappings: words('loaded', 'refused', INK),
      }),
    )
    .withPanel(
      stat({
        title: 'Memory',
        description:
          'Resident memory of the largest exporter. It follows routes and series, and should be flat; compare with the limit of its container.',
        unit: 'bytes',
        width: 3,
        height: 4,
        query: `max(${select(r.processResidentMemory)})`,
        steps: NEUTRAL,
      }),
    )
    .withPanel(
      stat({
        title: 'Up since',
        description:
          'When the youngest process started. Younger than you expect: it restarted; its last log lines say why.',
        unit: 'dateTimeFromNow',
        width: 3,
        height: 4,
        query: `1000 * max(${select(r.processStartTime)})`,
        steps: NEUTRAL,
      }),
    )
    .withPanel(
      table({
        title: 'Exporters',
        description:
          'What runs where, and when its configuration was read; those that went within the last hour are gone. Full feeds, only where table.expected_vps asks for them: not known is a list of VPs without table sizes. Different versions in one job: an update that stopped half way.',
        unit: 'none',
        width: 24,
        height: 5,
        key: { label: 'exporter', name: 'Exporter', wraps: true },
        columns: [
          {
            name: 'Built',
            query: byExporter(
              `max by (job, instance, version, revision, node_version) (${select(e.exporterBuildInfo)})`,
            ),
            labelsOnly: true,
          },
          {
            name: 'State',
            // Of exporters that only a label of the user's tells apart, one that is gone counts.
            query: byExporter(
              `min by (job, instance) (${withoutBuild(select(e.exporterBuildInfo))} or 0 * ${withoutBuild(`last_over_time(${select(e.exporterBuildInfo)}[1h])`)})`,
            ),
            mappings: words('running', 'gone'),
            width: 80,
          },
          {
            name: 'Prefixes',
            width: 75,
            query: byExporter(`count by (job, instance) (${select(p.prefixTrusted)})`),
            unit: 'short',
          },
          {
            name: 'Not trusted',
            query: byExporter(`sum by (job, instance) (1 - ${select(p.prefixTrusted)})`),
            steps: marked(FILL.unknown),
            width: 75,
          },
          {
            name: 'Routes',
            query: byExporter(`sum by (job, instance) (${select(t.tableRoutes)})`),
            unit: 'short',
            width: 85,
          },
          {
            name: 'Prefixes associated',
            width: 95,
            query: byExporter(`sum by (job, instance) (${select(s.streamSubscribedPrefixes)})`),
            unit: 'short',
          },
          {
            name: 'Full feeds',
            query: byExporter(`min by (job, instance) (${select(t.tableFullFeedUsable)})`),
            mappings: words('known', 'not known', { ok: 'transparent', gone: FILL.low }),
            width: 80,
          },
          {
            name: 'Configuration read',
            width: 125,
            query: byExporter(`1000 * min by (job, instance) (${select(e.exporterConfigLastReloadSuccessTimestamp)})`),
            unit: 'dateTimeFromNow',
          },
          { label: 'version', name: 'Version', width: 90 },
          { label: 'revision', name: 'Revision', width: 95 },
          { label: 'node_version', name: 'Node.js', width: 85 },
        ],
        sortBy: [
          { column: 'State', descending: false },
          { column: 'Not trusted', descending: true },
        ],
      }),
    );
  return [streams, refused, tableRow, validatorRow, outputs, resources, fleetRow].reduce(withRow, now);
}
