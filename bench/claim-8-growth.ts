/** Claim 8: an event costs the same however large the table is; a scrape grows with its series and with nothing else. */
import { FastDecoder } from '../src/bgproutes/fast-decoder.ts';
import { SessionFeed } from '../src/feed/session-feed.ts';
import { createLogger } from '../src/logger.ts';
import { createStreamStats } from '../src/stream/stream-health.ts';
import { Fold } from '../src/table/fold.ts';
import { TableIds } from '../src/table/route-ids.ts';
import { RoutingTable } from '../src/table/routing-table.ts';
import { Child } from './child.ts';
import { atMost, type BenchContext, type Claim, type Finding } from './claim.ts';
import { prefixesFor, type TableShape } from './filled-table.ts';
import { FIRST_SECOND, inPackets, MessageBlock, prefixTexts } from './messages.ts';
import { costOf, interleaved } from './rounds.ts';
import type { TextReady, TextRound } from './text-contestant.ts';
import { watched } from './watched.ts';

const BASE = { vps: 500, prefixes: 100, origins: 10 };
type Dimension = keyof typeof BASE;
const FACTOR = 10;
const MESSAGES = 100_000;
const ROUNDS = 9;
const LINEAR = 1.3;
/** Repetitions of MESSAGES whose times come before those of the first round: a table is filled meanwhile. */
const FILLED_BY = 20;
const RECEIVED_AT_MS = (FIRST_SECOND + 86_400) * 1_000;

/** A table of this size, and a stream that changes it. Gives what an event costs from bytes to totals, in microseconds. */
class Grown {
  readonly #shape: typeof BASE;
  readonly #table = new RoutingTable();
  readonly #feed: SessionFeed;

  constructor(shape: typeof BASE) {
    this.#shape = shape;
    this.#table.watch(watched(prefixTexts(shape.prefixes)), 0);
    this.#feed = new SessionFeed({
      session: 0,
      stream: createStreamStats('bench', '0', 0),
      decoder: new FastDecoder(new TableIds(this.#table)),
      fold: new Fold(this.#table),
      logger: createLogger({ level: 'error', format: 'logfmt', destination: process.stderr }),
    });
  }

  /** Every VP holds a route for every prefix before anything is measured. */
  fill(): void {
    const { vps, prefixes } = this.#shape;
    const all = MessageBlock.fill(this.#shape).payloads(0);
    for (const packet of inPackets(all)) this.#feed.frames(packet, RECEIVED_AT_MS);
    if (this.#table.routes !== vps * prefixes) throw new Error(`only ${this.#table.routes} routes were filled in`);
  }

  async round(round: number): Promise<number> {
    const block = MessageBlock.make({ ...this.#shape, messages: MESSAGES, seed: round + 1 });
    const packets = inPackets(block.payloads(FILLED_BY + round));
    const before = this.#count();
    const cost = await costOf(() => {
      for (const packet of packets) this.#feed.frames(packet, RECEIVED_AT_MS);
    });
    return cost / (this.#count() - before);
  }

  #count(): number {
    let events = 0;
    for (const { announcements, withdrawals } of this.#table.prefixes.monitored())
      events += announcements + withdrawals;
    return events;
  }
}

async function events({ progress }: BenchContext): Promise<Finding[]> {
  const sizes: Record<string, Grown> = { base: new Grown(BASE) };
  for (const dimension of ['vps', 'prefixes', 'origins'] as const)
    sizes[dimension] = new Grown({ ...BASE, [dimension]: BASE[dimension] * FACTOR });
  for (const [name, size] of Object.entries(sizes)) {
    size.fill();
    progress(`${name} filled`);
  }
  const measured = await interleaved(
    Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, (round: number) => size.round(round)])),
    ROUNDS,
    progress,
  );
  const words: Record<Dimension, string> = { vps: 'VPs', prefixes: 'prefixes', origins: 'origins' };
  return (['vps', 'prefixes', 'origins'] as const).map((dimension) =>
    atMost(
      `cost of an event with ${BASE[dimension] * FACTOR} ${words[dimension]}, against ${BASE[dimension]}`,
      1.3,
      measured.ratio(dimension, 'base'),
    ),
  );
}

async function scrapes({ progress }: BenchContext): Promise<Finding> {
  const shape = { vps: 60, origins: 5 };
  const children: Child[] = [];
  const make = async (series: number) => {
    const child = new Child('text-contestant', ['allChanged']);
    children.push(child);
    const ready = await child.ask<TextReady>({ ...shape, prefixes: prefixesFor(series, shape) } satisfies TableShape);
    const bodies = 400_000 / series;
    return async (round: number) => (await child.ask<number>({ round, bodies } satisfies TextRound)) / ready.series;
  };
  try {
    const measured = await interleaved({ few: await make(10_000), many: await make(100_000) }, ROUNDS, progress);
    return atMost(
      'cost of a scrape, a series, with 100,000 changed series against 10,000',
      LINEAR,
      measured.ratio('many', 'few'),
    );
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

export const claim: Claim = {
  number: 8,
  title: 'growth',
  measure: async (context) => [...(await events(context)), await scrapes(context)],
};
