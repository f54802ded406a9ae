/** The process of one contestant of `ingest`: takes in a number of blocks when asked, and tells what that cost. */

import { WebSocket } from 'ws';
import { BgproutesDecoder } from '../src/bgproutes/live/decoder.ts';
import { BgproutesSource } from '../src/bgproutes/live/source.ts';
import { SessionFeed } from '../src/feed/session-feed.ts';
import { createLogger } from '../src/logger.ts';
import { PrefixView } from '../src/metrics/views/prefix-view.ts';
import { TextWriter } from '../src/outputs/text/prometheus.ts';
import { Fold } from '../src/table/fold.ts';
import { RoutingTable } from '../src/table/routing-table.ts';
import { TableIds } from '../src/table/table-ids.ts';
import { seriesOf } from './exposition.ts';
import { NaiveExporter } from './naive-exporter.ts';
import { cpuTimeUs } from './rounds.ts';
import { watched } from './watched.ts';

export interface ContestantInput {
  readonly port: number;
  readonly prefixes: readonly string[];
}

export interface Intake {
  readonly messages: number;
  readonly bytes: number;
  readonly cpuUs: number;
}

interface Contestant {
  /** Connects, takes in all until the server closes. */
  takeIn(query: string): Promise<{ readonly messages: number; readonly bytes: number }>;
  series(): Promise<Record<string, number>>;
}

/** A WebSocket that hands every message to `onMessage`, with the options that cost least. */
function socketContestant(port: number, onMessage: (data: Buffer) => void, series: Contestant['series']): Contestant {
  return {
    takeIn: (query) =>
      new Promise((resolve, reject) => {
        let messages = 0;
        let bytes = 0;
        const socket = new WebSocket(`ws://127.0.0.1:${port}/?${query}`, {
          perMessageDeflate: false,
          skipUTF8Validation: true,
        });
        socket.on('message', (data: Buffer) => {
          messages++;
          bytes += data.length;
          onMessage(data);
        });
        socket.on('close', () => resolve({ messages, bytes }));
        socket.on('error', reject);
      }),
    series,
  };
}

/** What the exporter does with a stream, by its own parts: source, feed, decoder, fold, table. */
function exporterContestant(port: number, prefixes: readonly string[]): Contestant {
  const logger = createLogger({ level: 'error', format: 'logfmt', destination: process.stderr });
  const table = new RoutingTable();
  table.watch(watched(prefixes), 0);
  const decoder = new BgproutesDecoder(new TableIds(table));
  const fold = new Fold(table);
  const view = new PrefixView(table);
  const writer = new TextWriter('text');
  return {
    async takeIn(query) {
      const source = new BgproutesSource({
        websocketUrl: `ws://127.0.0.1:${port}/?${query}`,
        liveManagerUrl: `http://127.0.0.1:${port}`,
        // A start asks first whether the service accepts it; what that connection reads is no part of the ingest.
        sessions: [{ apiKey: 'bench', prefixes: prefixes.slice(0, 10), isAssociated: true }],
        reconnect: false,
        log: logger,
      });
      const feed = new SessionFeed({ session: 0, stream: source.stats[0], decoder, fold, logger });
      await new Promise<void>((resolve) => {
        source.start({
          frames: (_, frames, receivedAtMs) => feed.frames(frames, receivedAtMs),
          connected: () => {},
          disconnected: () => resolve(),
        });
      });
      await source.stop();
      const { frames, receivedBytes } = source.stats[0];
      const lost = Object.values({ ...feed.decodeFailures, ...feed.counts.dropped }).some((count) => count > 0);
      if (lost) throw new Error(`events were lost: ${JSON.stringify([feed.decodeFailures, feed.counts])}`);
      return { messages: frames, bytes: receivedBytes };
    },
    series: async () => seriesOf(writer.render([view.collect()]).toString()),
  };
}

function contestantOf(name: string, { port, prefixes }: ContestantInput): Contestant {
  if (name === 'exporter') return exporterContestant(port, prefixes);
  if (name === 'receive')
    return socketContestant(
      port,
      () => {},
      async () => ({}),
    );
  const naive = new NaiveExporter();
  return socketContestant(
    port,
    (data) => naive.message(data),
    async () => seriesOf(await naive.metrics()),
  );
}

let contestant: Contestant | undefined;

interface Round {
  /** The first repetition of the messages, and how many. */
  readonly from: number;
  readonly blocks: number;
}

async function answer(question: ContestantInput | Round | 'series'): Promise<unknown> {
  if (contestant === undefined) {
    contestant = contestantOf(process.argv[2], question as ContestantInput);
    return 'ready';
  }
  if (question === 'series') return contestant.series();
  globalThis.gc?.();
  const before = cpuTimeUs();
  const { from, blocks } = question as Round;
  const counts = await contestant.takeIn(`from=${from}&blocks=${blocks}`);
  return { ...counts, cpuUs: cpuTimeUs() - before } satisfies Intake;
}

process.on('message', (question: Parameters<typeof answer>[0]) => {
  void answer(question).then((reply) => process.send?.(reply as object));
});
process.once('disconnect', () => process.exit(0));
