/**
 * Claim 14: how long an exporter of a fleet takes until 5,000,000 routes of other exporters are in its table: the records of state,
 * in batches as a broker keeps them, go through the library's parser, the reader of state and the restorer of a member. The broker
 * is replaced by memory: what it and the network take is not in the figures.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createRecordsBatch, Reader, readRecordsBatches } from '@platformatic/kafka';
import { type Prefix, parsePrefix } from '../src/bgp/prefix.ts';
import type { RouteUpdate } from '../src/bgp/route-event.ts';
import { BgproutesDecoder } from '../src/bgproutes/live/decoder.ts';
import { SessionFeed } from '../src/feed/session-feed.ts';
import { Replica } from '../src/fleet/member/replica.ts';
import { Restorer } from '../src/fleet/member/restorer.ts';
import { encodeMark, encodeState, MARK } from '../src/fleet/member/state-record.ts';
import { PartitionMap } from '../src/fleet/partitions.ts';
import type { BrokerClient, Partition } from '../src/kafka/broker-client.ts';
import { readRecords } from '../src/kafka/record-batches.ts';
import type { Logger } from '../src/logger.ts';
import { createStreamStats } from '../src/stream/stream-health.ts';
import { systemTimers } from '../src/stream/timers.ts';
import { Fold } from '../src/table/fold.ts';
import { RoutingTable } from '../src/table/routing-table.ts';
import { TableIds } from '../src/table/table-ids.ts';
import { atMost, type BenchContext, type Claim, type Finding, mustEqual } from './claim.ts';
import { FILLED_AT_MS, FilledTable } from './filled-table.ts';
import { prefixTexts } from './messages.ts';
import { median } from './rounds.ts';
import { longestTurnMs, threadTimeMs } from './turn-clock.ts';
import { watched } from './watched.ts';

const SHAPE = { vps: 2_000, prefixes: 2_500, origins: 10 };
const ROUTES = SHAPE.vps * SHAPE.prefixes;
const PARTITIONS = 64;
const ROUNDS = 3;
const TOPIC = 'state';
/** What a request for what there is gives at the most. */
const ANSWER_BYTES = 8 * 1_048_576;
/** Of a batch, as the state writer makes them. */
const BATCH_BYTES = 1_000_000;

interface Log {
  readonly batches: { readonly bytes: Buffer; readonly offset: number }[];
  end: number;
}

/** What the exporters before have written: each prefix, and the mark of its partition. */
function stateLogs(table: RoutingTable, map: PartitionMap): Log[] {
  const logs = Array.from({ length: PARTITIONS }, (): Log => ({ batches: [], end: 0 }));
  const write = (log: Log, records: readonly { readonly key: Buffer; readonly value: Buffer }[]) => {
    const bytes = createRecordsBatch(records.map((one) => ({ ...one, topic: TOPIC, timestamp: BigInt(FILLED_AT_MS) })));
    const batch = Buffer.from(bytes.buffer);
    batch.writeBigInt64BE(BigInt(log.end), 0);
    log.batches.push({ bytes: batch, offset: log.end });
    log.end += records.length;
  };
  const waiting = logs.map(() => ({ records: [] as { key: Buffer; value: Buffer }[], bytes: 0 }));
  const complete = logs.map((): string[] => []);
  for (const monitored of table.prefixes.monitored()) {
    const { text } = monitored.state.prefix;
    const partition = map.of(text);
    complete[partition].push(text);
    const value = encodeState(table, monitored, 1_000, FILLED_AT_MS);
    const own = waiting[partition];
    if (own.records.length > 0 && own.bytes + value.length > BATCH_BYTES) {
      write(logs[partition], own.records);
      waiting[partition] = { records: [], bytes: 0 };
    }
    waiting[partition].records.push({ key: Buffer.from(text), value });
    waiting[partition].bytes += value.length;
  }
  for (const [partition, { records }] of waiting.entries()) {
    if (records.length > 0) write(logs[partition], records);
    const mark = { offset: 1_000, term: 7, sequence: 1_000, atMs: FILLED_AT_MS };
    write(logs[partition], [
      { key: Buffer.from(MARK), value: encodeMark({ ...mark, complete: complete[partition], unread: [] }) },
    ]);
  }
  return logs;
}

/** A broker in memory; the library parses what it gives, as if it had come from a socket. */
function brokersOf(logs: readonly Log[]): () => BrokerClient {
  const partitions = logs.map((_, partition): Partition => ({ topic: TOPIC, topicId: TOPIC, partition, leader: 1 }));
  return () => ({
    partitions: () => Promise.resolve(partitions),
    offsets: (of, which) => Promise.resolve(of.map(({ partition }) => (which === 'oldest' ? 0 : logs[partition].end))),
    fetch: async (_, wanted) => {
      await nextTurn();
      return wanted.map(({ partition, offset }) => {
        const { batches, end } = logs[partition.partition];
        const found: Buffer[] = [];
        let bytes = 0;
        for (const batch of batches) {
          if (batch.offset < offset || bytes >= ANSWER_BYTES) continue;
          found.push(batch.bytes);
          bytes += batch.bytes.length;
        }
        const { records, nextOffset } = readRecords(readRecordsBatches(Reader.from(Buffer.concat(found))), offset);
        return { kind: 'records', partition, records, nextOffset, endOffset: end };
      });
    },
    close: () => Promise.resolve(),
  });
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** A member to which all partitions were assigned, up to where it reads events. */
async function restore(
  connect: () => BrokerClient,
  map: PartitionMap,
): Promise<{ table: RoutingTable; wallMs: number; cpuMs: number; turnMs: number }> {
  const table = new RoutingTable();
  const texts = prefixTexts(SHAPE.prefixes);
  table.watch(
    watched(texts).map((one) => ({ ...one, sessions: [map.of(one.prefix.text)] })),
    FILLED_AT_MS,
  );
  const decoder = new BgproutesDecoder(new TableIds(table));
  const fold = new Fold(table);
  const replicas = Array.from({ length: PARTITIONS }, (_, partition) => {
    const stats = createStreamStats('fleet', String(partition), FILLED_AT_MS);
    return new Replica({
      ...{ partition, table, stats, onVps() {}, onClockOffset() {}, onChange() {} },
      feed: new SessionFeed({ session: partition, stream: stats, fold, decoder, logger: silent }),
      decode: (): RouteUpdate | undefined => undefined,
    });
  });
  let restored = 0;
  const restorer = new Restorer({
    ...{ connect, topic: TOPIC, table, timers: systemTimers, log: silent, secrets: [], isOwn: () => true },
    ...{ signal: new AbortController().signal, onUnreadable() {} },
    onRestored: () => {
      restored++;
    },
  });
  const [startMs, startCpuMs] = [performance.now(), threadTimeMs()];
  let isOver = false;
  const turn = longestTurnMs(() => isOver);
  await restorer.restore(replicas);
  isOver = true;
  const [wallMs, cpuMs] = [performance.now() - startMs, threadTimeMs() - startCpuMs];
  mustEqual('partitions restored', restored, PARTITIONS);
  return { table, wallMs, cpuMs, turnMs: await turn };
}

/** What restoring must bring back: of some prefixes who sees them, and their counters. */
function sample(table: RoutingTable): unknown {
  return [...table.prefixes.monitored()]
    .filter((_, i) => i % 100 === 0)
    .map(({ state, announcements, pathChanges, expected, lengthSum }) => [
      state.prefix.text,
      state.visible,
      ...[announcements, pathChanges, expected, lengthSum],
    ]);
}

async function measure({ progress }: BenchContext): Promise<Finding[]> {
  const prefixes = prefixTexts(SHAPE.prefixes).map((text) => parsePrefix(text) as Prefix);
  const map = new PartitionMap(prefixes, PARTITIONS);
  const { logs, expected } = (() => {
    const { table } = new FilledTable(SHAPE);
    return { logs: stateLogs(table, map), expected: sample(table) };
  })();
  const bytes = logs.reduce((sum, { batches }) => sum + batches.reduce((all, one) => all + one.bytes.length, 0), 0);
  progress(`state of ${ROUTES} routes, ${Math.round(bytes / 1e6)} MB, ${(bytes / ROUTES).toFixed(1)} bytes a route`);
  const connect = brokersOf(logs);
  const rounds: { wallMs: number; cpuMs: number; turnMs: number }[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const { table, ...measured } = await restore(connect, map);
    mustEqual('routes', table.routes, ROUTES);
    mustEqual('prefixes', sample(table), expected);
    rounds.push(measured);
    const seconds = [measured.wallMs, measured.cpuMs].map((ms) => (ms / 1_000).toFixed(1));
    progress(`round ${round} of ${ROUNDS}: ${seconds[0]} s, ${seconds[1]} s of CPU, ${measured.turnMs.toFixed(0)} ms`);
  }
  const of = (key: 'wallMs' | 'cpuMs' | 'turnMs') => median(rounds.map((one) => one[key]));
  return [
    atMost('restoring 5,000,000 routes of a fleet', 60, of('wallMs') / 1_000, 's'),
    atMost('the same, CPU of its thread', 30, of('cpuMs') / 1_000, 's'),
    atMost('longest pause meanwhile', 50, of('turnMs'), 'ms'),
  ];
}

export const claim: Claim = { number: 14, title: 'a fleet', measure };
