/** Claim 8: an event costs the same however large the table is; a scrape grows with its series and with nothing else. */
import { Child } from './child.ts';
import { atMost, type BenchContext, type Claim, type Finding } from './claim.ts';
import { prefixesFor, type TableShape } from './filled-table.ts';
import type { GrowthQuestion } from './growth-contestant.ts';
import { interleaved } from './rounds.ts';
import type { TextReady, TextRound } from './text-contestant.ts';

const BASE = { vps: 500, prefixes: 100, origins: 10 };
type Dimension = keyof typeof BASE;
const FACTOR = 10;
const ROUNDS = 5;
/**
 * Processes of each size. Which pages of the machine's memory a process gets decides what its cache keeps: the same program
 * with the same table differs by a tenth from one process to the next. What an event costs is the mean of theirs.
 */
const PROCESSES = 3;
/**
 * A round of events is measured in pieces of some 20 ms, in turn: a machine that others share is fast in one moment and
 * slow in the next.
 */
const PIECES = 4;
const MESSAGES = 25_600;
/** Pieces that are thrown away. */
const WARM_UP_PIECES = 2 * PIECES;
/** The same of scrapes: series in a piece, and pieces. */
const SERIES = 100_000;
const SCRAPE_PIECES = 80;
const WARM_UP_SCRAPES = 20;
const LINEAR = 1.3;

async function events({ progress }: BenchContext): Promise<Finding[]> {
  const sizes: Record<string, typeof BASE> = { base: BASE };
  for (const dimension of ['vps', 'prefixes', 'origins'] as const)
    sizes[dimension] = { ...BASE, [dimension]: BASE[dimension] * FACTOR };
  const children = new Map<string, Child[]>();
  const all = () => [...children.values()].flat();
  try {
    for (let i = 0; i < PROCESSES; i++) {
      for (const [name, size] of Object.entries(sizes)) {
        const child = new Child('growth-contestant');
        children.set(name, [...(children.get(name) ?? []), child]);
        // With more origins fewer prefixes share one, and a message would have fewer events: each has one.
        await child.ask({ ...size, pairShare: 0 } satisfies GrowthQuestion);
        progress(`${name} filled, process ${i + 1} of ${PROCESSES}`);
      }
    }
    let prepared = 0;
    const piece = async (processes: readonly Child[], number: number): Promise<number> => {
      if (number === prepared * PIECES) {
        const question: GrowthQuestion = { round: prepared++, pieces: PIECES, messages: MESSAGES };
        for (const each of all()) await each.ask(question);
        progress(`round ${prepared} of ${ROUNDS + WARM_UP_PIECES / PIECES}`);
      }
      let sum = 0;
      for (const each of processes) sum += await each.ask<number>('piece' satisfies GrowthQuestion);
      return sum / processes.length;
    };
    const measured = await interleaved(
      Object.fromEntries(
        [...children].map(([name, processes]) => [name, (number: number) => piece(processes, number)]),
      ),
      ROUNDS * PIECES,
      () => {},
      WARM_UP_PIECES,
    );
    progress([...children.keys()].map((name) => `${name} ${measured.median(name).toFixed(3)} us`).join(', '));
    const words: Record<Dimension, string> = { vps: 'VPs', prefixes: 'prefixes', origins: 'origins' };
    return (['vps', 'prefixes', 'origins'] as const).map((dimension) =>
      atMost(
        `cost of an event with ${BASE[dimension] * FACTOR} ${words[dimension]}, against ${BASE[dimension]}`,
        1.3,
        measured.ratio(dimension, 'base'),
      ),
    );
  } finally {
    await Promise.all(all().map((child) => child.stop()));
  }
}

async function scrapes({ progress }: BenchContext): Promise<Finding> {
  const shape = { vps: 60, origins: 5 };
  const children: Child[] = [];
  const make = async (series: number) => {
    const child = new Child('text-contestant', ['allChanged']);
    children.push(child);
    const ready = await child.ask<TextReady>({ ...shape, prefixes: prefixesFor(series, shape) } satisfies TableShape);
    const bodies = SERIES / series;
    progress(`${ready.series} series filled`);
    return async (round: number) => (await child.ask<number>({ round, bodies } satisfies TextRound)) / ready.series;
  };
  try {
    const contestants = { few: await make(10_000), many: await make(100_000) };
    const measured = await interleaved(contestants, SCRAPE_PIECES, () => {}, WARM_UP_SCRAPES);
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
