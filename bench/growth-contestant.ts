/** The process of one size of claim 8: it has a full table of that size, and takes in messages that change it when asked. */
import { BgproutesDecoder } from '../src/bgproutes/live/decoder.ts';
import { SessionFeed } from '../src/feed/session-feed.ts';
import { createLogger } from '../src/logger.ts';
import { createStreamStats } from '../src/stream/stream-health.ts';
import { Fold } from '../src/table/fold.ts';
import { RoutingTable } from '../src/table/routing-table.ts';
import { TableIds } from '../src/table/table-ids.ts';
import { FIRST_SECOND, inPackets, MessageBlock, prefixTexts, type StreamShape } from './messages.ts';
import { cpuTimeUs } from './rounds.ts';
import { watched } from './watched.ts';

/** Rounds whose times come before those of the first: a table is filled meanwhile. */
const FILLED_BY = 20;
const RECEIVED_AT_MS = (FIRST_SECOND + 86_400) * 1_000;

export type GrowthShape = Omit<StreamShape, 'messages'>;
/** A round in pieces of so many messages. */
export interface GrowthRound {
  readonly round: number;
  readonly pieces: number;
  readonly messages: number;
}
/** First a shape, then a round to prepare, then its pieces. */
export type GrowthQuestion = GrowthShape | GrowthRound | 'piece';

class Grown {
  readonly #shape: GrowthShape;
  readonly #table = new RoutingTable();
  readonly #feed: SessionFeed;
  #pieces: Buffer[][][] = [];

  /** Every VP holds a route for every prefix. */
  constructor(shape: GrowthShape) {
    this.#shape = shape;
    this.#table.watch(watched(prefixTexts(shape.prefixes)), 0);
    this.#feed = new SessionFeed({
      session: 0,
      stream: createStreamStats('bench', '0', 0),
      decoder: new BgproutesDecoder(new TableIds(this.#table)),
      fold: new Fold(this.#table),
      logger: createLogger({ level: 'error', format: 'logfmt', destination: process.stderr }),
    });
    for (const packet of inPackets(MessageBlock.fill(shape).payloads(0))) this.#feed.frames(packet, RECEIVED_AT_MS);
    if (this.#table.routes !== shape.vps * shape.prefixes)
      throw new Error(`only ${this.#table.routes} routes were filled in`);
  }

  /** Makes the messages beforehand. */
  prepare({ round, pieces, messages }: GrowthRound): void {
    const block = MessageBlock.make({ ...this.#shape, messages: pieces * messages, seed: round + 1 });
    const payloads = block.payloads(FILLED_BY + round);
    this.#pieces = Array.from({ length: pieces }, (_, i) =>
      inPackets(payloads.slice(i * messages, (i + 1) * messages)),
    );
  }

  /** Takes in the next piece. Gives what an event costs from bytes to totals, in microseconds. */
  piece(): number {
    const packets = this.#pieces.shift();
    if (packets === undefined) throw new Error('no piece was prepared');
    const events = this.#events();
    const before = cpuTimeUs();
    for (const packet of packets) this.#feed.frames(packet, RECEIVED_AT_MS);
    return (cpuTimeUs() - before) / (this.#events() - events);
  }

  #events(): number {
    let events = 0;
    for (const { announcements, withdrawals } of this.#table.prefixes.monitored())
      events += announcements + withdrawals;
    return events;
  }
}

let grown: Grown | undefined;

process.on('message', (question: GrowthQuestion) => {
  if (question === 'piece') {
    process.send?.(grown?.piece() ?? Number.NaN);
    return;
  }
  if ('round' in question) grown?.prepare(question);
  else grown = new Grown(question);
  process.send?.('ready');
});
process.once('disconnect', () => process.exit(0));
