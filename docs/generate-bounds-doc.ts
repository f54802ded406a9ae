/** Writes docs/bounds.md from the bounds of src: `npm run docs:bounds`. A test says when the file is stale. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MAX_SHORT_PATH } from '../src/bgp/as-path.ts';
import { MAX_UPDATE_PREFIXES } from '../src/bgp/update-bounds.ts';
import { ANSWER_BOUNDS } from '../src/bgproutes/data-api/request.ts';
import { MAX_FLEET_PREFIXES, MAX_PARTITION_PREFIXES, MAX_PREFIXES } from '../src/config/config.ts';
import { MAX_FILE_BYTES } from '../src/config/file/text-file.ts';
import { HOLD_BOUNDS, HOLD_BYTES_OF_ALL } from '../src/feed/frame-queue.ts';
import { MAX_NAMES } from '../src/fleet/ingest/more-specifics.ts';
import { MAX_FOREIGN_BYTES, MAX_FOREIGN_KEYS } from '../src/fleet/member/state-reader.ts';
import { MAX_MARKS } from '../src/history/prefix-history.ts';
import { MAX_PATH_ROUTE_BYTES, MAX_PATH_ROUTES } from '../src/kafka/bmp/peer-routes.ts';
import { MAX_PEERS } from '../src/kafka/bmp/peers.ts';
import { MAX_BATCH_BYTES } from '../src/kafka/decompression-bounds.ts';
import { exporterMetrics, prefixMetrics, rpkiMetrics, streamMetrics, tableMetrics } from '../src/metrics/catalogue.ts';
import type { Metric } from '../src/metrics/metric.ts';
import {
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_PER_ADDRESS,
  MAX_KEPT_AWAY,
  MAX_LOCAL_CONNECTIONS,
  MAX_PIPELINED,
} from '../src/outputs/connections.ts';
import { MAX_EVENT_CLIENTS, MAX_EVENT_CLIENTS_PER_ADDRESS } from '../src/outputs/page/event-hub.ts';
import { MAX_PAGE_BYTES, MAX_PAGES, MAX_PAGES_PER_ADDRESS } from '../src/outputs/page-bodies.ts';
import { MAX_SCRAPES, MAX_SCRAPES_PER_ADDRESS } from '../src/outputs/scrapes.ts';
import { RIPESTAT_BOUNDS } from '../src/ris-live/ripestat/request.ts';
import { MAX_CONNECTIONS as RIS_CONNECTIONS } from '../src/ris-live/session.ts';
import { MAX_ASPA_CUSTOMERS, MAX_ASPA_PAIRS, MAX_ASPA_PROVIDERS } from '../src/rpki/aspa-set.ts';
import { MAX_DIFFERENCE_PROVIDERS, MAX_DIFFERENCES } from '../src/rpki/rtr/transaction.ts';
import { MAX_KEPT_VRPS, MAX_VRPS_PER_PREFIX } from '../src/rpki/vrp-set.ts';
import { MAX_PARTITIONS } from '../src/stream/source.ts';
import { DEFAULT_CONNECTION_SETTINGS } from '../src/stream/websocket-connection.ts';
import {
  BOUNDS,
  type Bound,
  MAX_CONFIGURED_ORIGINS,
  MAX_CONFIGURED_UPSTREAMS,
  MAX_LONG_PATH_BYTES,
  MAX_UNMONITORED,
} from '../src/table/bounds.ts';

export const BOUNDS_DOC = fileURLToPath(new URL('bounds.md', import.meta.url));

/** One bound, in words. */
export interface BoundEntry {
  readonly what: string;
  readonly bound: string;
  readonly beyond: string;
  readonly todo: string;
  /** The counter of what is beyond it, with the label value. Undefined: nothing is lost, or the log or the answer says it. */
  readonly counter: { readonly metric: Metric; readonly label?: readonly [name: string, value: string] } | undefined;
}

interface Section {
  readonly title: string;
  readonly entries: readonly BoundEntry[];
}

const number = (value: number): string => value.toLocaleString('en-US');
const mebibytes = (bytes: number): string => `${number(bytes / 1024 ** 2)} MiB`;
const settable = ({ key, least, most, standard }: Bound): string =>
  `${number(standard)}; \`${key}\` sets it, from ${number(least)} to ${number(most)}`;
const dropped = (reason: string): BoundEntry['counter'] => ({
  metric: streamMetrics.streamDroppedEvents,
  label: ['reason', reason],
});
const unread = (reason: string): BoundEntry['counter'] => ({
  metric: streamMetrics.streamDecodeFailures,
  label: ['reason', reason],
});
const cut = (reason: string): BoundEntry['counter'] => ({
  metric: exporterMetrics.exporterHttpCutConnections,
  label: ['reason', reason],
});
const series = ({ name }: Metric): BoundEntry['counter'] => ({
  metric: exporterMetrics.exporterDroppedSeries,
  label: ['metric', name],
});
const left = 'Routes of a seed, a snapshot or a reload that find no room count in `bgp_table_dropped_routes_total`.';

export const SECTIONS: readonly Section[] = [
  {
    title: 'The table',
    entries: [
      {
        what: 'Vantage points at once',
        bound: settable(BOUNDS.vps),
        beyond: `The vantage point without a route that was silent for the longest time makes room. If all have a route, events of a new vantage point are dropped. ${left}`,
        todo: 'Compare with `bgproutes-exporter vps`. If all of them exist, raise the bound ([sizing.md](sizing.md)) and restart.',
        counter: dropped('vp_limit'),
      },
      {
        what: 'More-specifics of one monitored prefix',
        bound: settable(BOUNDS.moreSpecifics),
        beyond: `A more-specific that no vantage point holds makes room. If all are held, a new one is dropped, and no metric or alert shows it. ${left}`,
        todo: 'Do you monitor a covering prefix that is not yours alone? Monitor your own prefixes instead, or raise the bound.',
        counter: dropped('more_specific_limit'),
      },
      {
        what: 'More-specifics that an ingest of a fleet remembers',
        bound: `\`table.max_more_specifics\` for each monitored prefix, ${number(MAX_NAMES)} in all`,
        beyond:
          'Of one prefix, the one of which the ingest heard first makes room. Above the number of all, no further one is remembered. A comparison with a history that takes no question for all more-specifics does not ask for the ones that are not remembered.',
        todo: 'Nothing.',
        counter: undefined,
      },
      {
        what: 'AS paths of more than 220 characters, together',
        bound: mebibytes(MAX_LONG_PATH_BYTES),
        beyond: `The vantage point keeps the path that it had. ${left}`,
        todo: '`bgproutes-exporter tail` shows who sends such paths. Real streams are far below.',
        counter: dropped('path_limit'),
      },
      {
        what: 'Prefixes that are not monitored, and whose text is remembered',
        bound: number(MAX_UNMONITORED),
        beyond: 'All of them are forgotten, and remembered again when they come. No event is lost.',
        todo: 'Nothing.',
        counter: undefined,
      },
    ],
  },
  {
    title: 'Series of a prefix',
    entries: [
      {
        what: 'Origins with a series',
        bound: settable(BOUNDS.originSeries),
        beyond:
          'The smallest counts are summed as `other`. Configured origins always have their own series. Unexpected origins always count in `bgp_prefix_unexpected_origin_vps`.',
        todo: 'Nothing. Raise the bound if you need a series for each.',
        counter: series(prefixMetrics.prefixOriginVps),
      },
      {
        what: 'Upstreams with a series',
        bound: settable(BOUNDS.upstreamSeries),
        beyond: 'As for origins.',
        todo: 'As for origins.',
        counter: series(prefixMetrics.prefixUpstreamVps),
      },
      {
        what: 'More-specifics with a series',
        bound: settable(BOUNDS.moreSpecificSeries),
        beyond:
          'The more-specifics that the fewest vantage points see are summed as `other`. `bgp_prefix_more_specifics` counts all.',
        todo: 'Nothing. Raise the bound if you need a series for each.',
        counter: series(prefixMetrics.prefixMoreSpecificVps),
      },
    ],
  },
  {
    title: 'The configuration',
    entries: [
      {
        what: 'Monitored prefixes',
        bound: number(MAX_PREFIXES),
        beyond: 'The configuration is refused, with a message.',
        todo: 'Run several exporters: a fleet ([fleet.md](fleet.md)), or exporters that each have their own prefixes.',
        counter: undefined,
      },
      {
        what: 'Monitored prefixes of a fleet, and of a fleet for each of its partitions',
        bound: `${number(MAX_FLEET_PREFIXES)}, ${number(MAX_PARTITION_PREFIXES)}`,
        beyond: 'The configuration is refused, with a message.',
        todo: 'Raise `fleet.partitions`, before the topics have events.',
        counter: undefined,
      },
      {
        what: 'Configured origins and upstreams of one prefix',
        bound: `${number(MAX_CONFIGURED_ORIGINS)} and ${number(MAX_CONFIGURED_UPSTREAMS)}`,
        beyond: 'The configuration is refused, with a message.',
        todo: 'List only those that you expect. An AS_SET is expected if all its members are.',
        counter: undefined,
      },
      {
        what: 'The size of a file that is read',
        bound: mebibytes(MAX_FILE_BYTES),
        beyond: 'The configuration is refused, with a message.',
        todo: 'Check that it is the right file.',
        counter: undefined,
      },
    ],
  },
  {
    title: 'Streams',
    entries: [
      {
        what: 'Connections of a session of RIS Live',
        bound: number(RIS_CONNECTIONS),
        beyond: 'Prefixes that would need a further connection are refused. The log says so, and `/-/ready` fails.',
        todo: 'Run several exporters, each with its own prefixes.',
        counter: undefined,
      },
      {
        what: 'Frames of a session that wait for a seed',
        bound: `${number(HOLD_BOUNDS.frames)}, and ${mebibytes(HOLD_BOUNDS.bytes)}; all sessions together ${mebibytes(HOLD_BYTES_OF_ALL)}`,
        beyond:
          'Further frames are decoded and counted, but not applied. Afterwards the gap is filled from the history.',
        todo: 'Nothing, if it happens at a start. Otherwise the history is slow: see `bgp_data_api_requests_total` or `bgp_ripestat_requests_total`.',
        counter: dropped('hold_overflow'),
      },
      {
        what: 'A frame of a WebSocket',
        bound: mebibytes(DEFAULT_CONNECTION_SETTINGS.maxFrameBytes),
        beyond: 'The exporter ends the connection and connects again.',
        todo: 'Report it to the service: no BGP message comes to half of that.',
        counter: { metric: streamMetrics.streamDisconnects, label: ['reason', 'frame_too_large'] },
      },
      {
        what: 'Prefixes of one message',
        bound: number(MAX_UPDATE_PREFIXES),
        beyond: 'The message is refused.',
        todo: 'Report it to the service: a BGP UPDATE has no room for more different ones.',
        counter: unread('too_large'),
      },
      {
        what: 'Partitions of Kafka that are read',
        bound: number(MAX_PARTITIONS),
        beyond: 'Further partitions are not read. The log says so, and `/-/ready` fails.',
        todo: 'Name fewer topics.',
        counter: undefined,
      },
      {
        what: 'A batch of records that is compressed in Kafka',
        bound: `${mebibytes(MAX_BATCH_BYTES)} when it is decompressed`,
        beyond:
          'The rest of the partition is skipped. This is a gap, which is filled from the history if there is one.',
        todo: 'Find out who writes such a batch. By default a broker accepts 1 MiB, compressed.',
        counter: undefined,
      },
      {
        what: 'Keys of a partition of the state topic that are not its prefixes',
        bound: `${number(MAX_FOREIGN_KEYS)}, and ${mebibytes(MAX_FOREIGN_BYTES)} of their values`,
        beyond: 'They are not read. Their records stay in the topic.',
        todo: 'Find out who writes to the topic. After prefixes were removed from the configuration, their keys leave it after a day.',
        counter: undefined,
      },
      {
        what: 'Peers of BMP',
        bound: number(MAX_PEERS),
        beyond:
          'A peer that was silent for a day and is not in use makes room. Without one, messages of a new peer are dropped.',
        todo: 'Name fewer topics.',
        counter: unread('peer_limit'),
      },
      {
        what: 'Routes of peers that send several a prefix (ADD-PATH)',
        bound: `${number(MAX_PATH_ROUTES)}, and ${mebibytes(MAX_PATH_ROUTE_BYTES)} of AS paths and communities`,
        beyond: 'A further route is dropped; a known route stays as it was.',
        todo: 'Let the routers send one route for each prefix to the collector.',
        counter: unread('path_limit'),
      },
      {
        what: 'One answer of RIPEstat',
        bound: `${mebibytes(RIPESTAT_BOUNDS.bytes)}, ${number(RIPESTAT_BOUNDS.values)} values`,
        beyond:
          'The exporter asks for fewer prefixes. If an answer about one prefix is too large, it asks again later.',
        todo: 'Report it to the service: a right answer is far smaller.',
        counter: { metric: tableMetrics.tableSeeds, label: ['result', 'invalid'] },
      },
      {
        what: 'One answer of the Data API',
        bound: `${mebibytes(ANSWER_BOUNDS.rib.bytes)}; ${number(ANSWER_BOUNDS.vantage_points.values)} values of a list, ${number(ANSWER_BOUNDS.rib.values)} of a RIB, ${number(ANSWER_BOUNDS.updates.values)} of updates`,
        beyond:
          'The exporter asks for smaller parts. If a question cannot be divided any further, the reading fails and is tried again.',
        todo: 'Report it to the service: a right answer is far smaller.',
        counter: { metric: tableMetrics.tableSeeds, label: ['result', 'invalid'] },
      },
    ],
  },
  {
    title: 'Validated RPKI data',
    entries: [
      {
        what: 'VRPs of one prefix',
        bound: number(MAX_VRPS_PER_PREFIX),
        beyond: 'The answer is refused as too large. The old data stays in use until it is too old.',
        todo: 'Look at the validator: a real prefix has a few dozen.',
        counter: { metric: rpkiMetrics.rpkiUpdates, label: ['result', 'too_large'] },
      },
      {
        what: 'VRPs that concern a monitored prefix',
        bound: number(MAX_KEPT_VRPS),
        beyond: 'As for the VRPs of one prefix.',
        todo: 'As for the VRPs of one prefix.',
        counter: { metric: rpkiMetrics.rpkiUpdates, label: ['result', 'too_large'] },
      },
      {
        what: 'Customers with an ASPA, providers of one of them and of all',
        bound: [MAX_ASPA_CUSTOMERS, MAX_ASPA_PROVIDERS, MAX_ASPA_PAIRS].map(number).join('; '),
        beyond: 'As for the VRPs of one prefix.',
        todo: 'Look at the validator: the whole RPKI has some thousand.',
        counter: { metric: rpkiMetrics.rpkiUpdates, label: ['result', 'too_large'] },
      },
      {
        what: 'Differences of one answer over RTR, and the providers in them',
        bound: [MAX_DIFFERENCES, MAX_DIFFERENCE_PROVIDERS].map(number).join('; '),
        beyond: 'The cache is asked for everything.',
        todo: 'Nothing.',
        counter: { metric: rpkiMetrics.rpkiUpdates, label: ['result', 'too_large'] },
      },
    ],
  },
  {
    title: 'The past of prefixes',
    entries: [
      {
        what: 'Prefixes with a past, and the last changes of routes of each',
        bound: `1,000 and 200; \`history.max_prefixes\` and \`history.max_changes\` set them`,
        beyond: 'Only the first prefixes of the configuration have a past. The oldest changes are dropped.',
        todo: 'Raise them if there is memory ([sizing.md](sizing.md)).',
        counter: undefined,
      },
      {
        what: 'Marks of one prefix, and characters of an AS path of a change',
        bound: `${number(MAX_MARKS)}, ${number(MAX_SHORT_PATH)}`,
        beyond: 'The oldest marks are dropped; a longer path ends with ` ...`.',
        todo: 'Nothing.',
        counter: undefined,
      },
    ],
  },
  {
    title: 'The web server',
    entries: [
      {
        what: 'Connections of other machines',
        bound: number(MAX_CONNECTIONS),
        beyond: 'An idle connection makes room. If there is none, the new connection is refused.',
        todo: 'Find out who opens them. If the public can reach the server, put a proxy in front of it.',
        counter: cut('connection_limit'),
      },
      {
        what: 'Connections of one address',
        bound: `${number(MAX_CONNECTIONS_PER_ADDRESS)}; of this machine ${number(MAX_LOCAL_CONNECTIONS)}`,
        beyond: 'As for connections of other machines.',
        todo: 'As for connections of other machines. Behind a proxy all clients have the address of the proxy.',
        counter: cut('address_limit'),
      },
      {
        what: 'Connections that found no room, and that are left unread for 1 to 2.2 seconds before they end',
        bound: number(MAX_KEPT_AWAY),
        beyond:
          'The connection ends at once, as the first 16 of each second do. A client that was cut at once would be back at once.',
        todo: 'As for connections of other machines.',
        counter: cut('address_limit'),
      },
      {
        what: 'Requests on one connection that have no answer yet',
        bound: number(MAX_PIPELINED),
        beyond: 'The connection is ended.',
        todo: 'Use more connections, or wait for the answers.',
        counter: cut('pipelining'),
      },
      {
        what: 'Scrapes under way',
        bound: `${number(MAX_SCRAPES)}, of one address ${number(MAX_SCRAPES_PER_ADDRESS)}`,
        beyond:
          'The scrape that has been under way for the longest time is ended. If that one has only begun, the new one is refused.',
        todo: 'Scrape less often, or from fewer places.',
        counter: cut('scrape_limit'),
      },
      {
        what: 'Answers of the page, its API and the runbook under way',
        bound: `${number(MAX_PAGES)}, of one address ${number(MAX_PAGES_PER_ADDRESS)}, and ${mebibytes(MAX_PAGE_BYTES)} that wait for their readers`,
        beyond:
          'The one that has been under way for the longest time is ended. If that one has only begun, the new one is refused.',
        todo: 'Ask less often, or listen to the events instead.',
        counter: cut('page_limit'),
      },
      {
        what: 'Pages that listen to events',
        bound: `${number(MAX_EVENT_CLIENTS)}, of one address ${number(MAX_EVENT_CLIENTS_PER_ADDRESS)}`,
        beyond: 'A further page is refused, and asks again.',
        todo: 'Close pages that nobody looks at.',
        counter: undefined,
      },
    ],
  },
];

/** The whole file. */
export function boundsDoc(): string {
  return `<!-- Written by docs/generate-bounds-doc.ts from the bounds in src/: change those, then run npm run docs:bounds. -->

# Bounds

Everything that somebody outside can fill has a bound, so that a broken service or a rude client cannot use up the memory of the exporter. What is
beyond a bound is counted. \`BGPTableFull\` fires when routes find no room in the table ([runbook](runbook.md#bgptablefull)).

A reload changes each bound that has a key in the configuration, except \`table.max_vps\`, which needs a restart. [sizing.md](sizing.md) says how much memory
the exporter needs.

${SECTIONS.map(sectionText).join('\n')}`;
}

function sectionText({ title, entries }: Section): string {
  return `## ${title}

| what | bound | beyond it | what to do | counter |
| --- | --- | --- | --- | --- |
${entries.map(row).join('\n')}
`;
}

function row({ what, bound, beyond, todo, counter }: BoundEntry): string {
  return `| ${[what, bound, beyond, todo, counterText(counter)].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function counterText(counter: BoundEntry['counter']): string {
  if (counter === undefined) return 'none';
  const { metric, label } = counter;
  return `\`${metric.name}${label === undefined ? '' : `{${label[0]}="${label[1]}"}`}\``;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(BOUNDS_DOC, boundsDoc());
