/** Claim 4: the body of /metrics is written faster than by prom-client from the same series. */
import { TextWriter } from '../src/outputs/prometheus.ts';
import { atLeast, type BenchContext, type Claim, type Finding, mustEqual } from './claim.ts';
import { seriesOf } from './exposition.ts';
import { FilledTable, prefixesFor } from './filled-table.ts';
import { registryOf } from './prom-client-series.ts';
import { costOf, interleaved } from './rounds.ts';

const SHAPE = { vps: 60, origins: 5 };
const ROUNDS = 7;

function sorted(series: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(series).sort(([a], [b]) => (a < b ? -1 : 1));
}

async function measureSize(series: number, { progress }: BenchContext): Promise<Finding[]> {
  const filled = new FilledTable({ ...SHAPE, prefixes: prefixesFor(series, SHAPE) });
  const registry = registryOf([filled.view.collect()]);
  const writer = new TextWriter('text');
  const body = writer.render([filled.view.collect()]).toString();
  mustEqual('bodies', sorted(seriesOf(body)), sorted(seriesOf(await registry.metrics())));
  progress(`${filled.series} series of ${filled.states.length} prefixes are the same; ${body.length} bytes`);

  const all = [...filled.states.keys()];
  const few = all.filter((prefix) => prefix % 100 === 0);
  const render = () => {
    writer.render([filled.view.collect()]);
  };
  const contestants = {
    promClient: () =>
      costOf(async () => {
        await registry.metrics();
      }),
    allChanged: (round: number) => {
      filled.change(all, round);
      return costOf(render);
    },
    // So cheap that one alone could not be measured.
    fewChanged: async (round: number) => {
      let cost = 0;
      for (let i = 0; i < 10; i++) {
        filled.change(few, round + i);
        cost += await costOf(render);
      }
      return cost / 10;
    },
  };
  const measured = await interleaved(contestants, ROUNDS, progress);
  mustEqual(
    'a body with copied parts and one written anew',
    writer.render([filled.view.collect()]).toString(),
    new TextWriter('text').render([filled.view.collect()]).toString(),
  );
  progress(
    Object.keys(contestants)
      .map((name) => `${name} ${(measured.median(name) / 1_000).toFixed(2)} ms`)
      .join(', '),
  );
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
}

export const claim: Claim = {
  number: 4,
  title: 'text of /metrics',
  measure: async (context) => [...(await measureSize(10_000, context)), ...(await measureSize(100_000, context))],
};
