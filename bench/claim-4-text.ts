/** Claim 4: the body of /metrics is written faster than by prom-client from the same series. */
import { Child } from './child.ts';
import { atLeast, type BenchContext, type Claim, type Finding, mustEqual } from './claim.ts';
import { seriesOf } from './exposition.ts';
import { prefixesFor, type TableShape } from './filled-table.ts';
import { interleaved } from './rounds.ts';
import type { TextContestant, TextReady, TextRound } from './text-contestant.ts';

const SHAPE = { vps: 60, origins: 5 };
const ROUNDS = 7;
/** Bodies a round for 10,000 series: each contestant has a tenth of a second or more. */
const BODIES: Readonly<Record<TextContestant, number>> = { promClient: 5, allChanged: 40, fewChanged: 200 };

function sorted(body: string): [string, number][] {
  return Object.entries(seriesOf(body)).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Each in a process of its own: the garbage that one leaves is not another's to collect, and its own counts. */
async function measureSize(series: number, { progress }: BenchContext): Promise<Finding[]> {
  const shape: TableShape = { ...SHAPE, prefixes: prefixesFor(series, SHAPE) };
  const names = Object.keys(BODIES) as TextContestant[];
  const children = new Map(names.map((name) => [name, new Child('text-contestant', [name])]));
  try {
    const bodies: string[] = [];
    for (const [name, child] of children) {
      const ready = await child.ask<TextReady>(shape);
      bodies.push(await child.ask<string>('body'));
      mustEqual(`series of ${name}`, sorted(bodies[0]), sorted(bodies[bodies.length - 1]));
      if (bodies.length === names.length)
        progress(`${ready.series} series of ${ready.prefixes} prefixes are the same; ${bodies[0].length} bytes`);
    }
    const contestants = Object.fromEntries(
      [...children].map(([name, child]) => [
        name,
        (round: number) => {
          const bodies = Math.ceil((BODIES[name] * 10_000) / series);
          return child.ask<number>({ round, bodies } satisfies TextRound);
        },
      ]),
    );
    const measured = await interleaved(contestants, ROUNDS, progress);
    for (const child of children.values()) await child.ask<string>('body'); // the writers compare
    progress(names.map((name) => `${name} ${(measured.median(name) / 1_000).toFixed(2)} ms`).join(', '));
    const count = series.toLocaleString('en');
    return [
      atLeast(
        `/metrics of ${count} series, all changed, against prom-client is faster`,
        8,
        measured.ratio('promClient', 'allChanged'),
      ),
      atLeast(
        `/metrics of ${count} series, 1 % of prefixes changed, against prom-client is faster`,
        30,
        measured.ratio('promClient', 'fewChanged'),
      ),
    ];
  } finally {
    await Promise.all([...children.values()].map((child) => child.stop()));
  }
}

export const claim: Claim = {
  number: 4,
  title: 'text of /metrics',
  measure: async (context) => [...(await measureSize(10_000, context)), ...(await measureSize(100_000, context))],
};
