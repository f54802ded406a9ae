/** The process of one contestant of claim 4: it has the series, and writes bodies of them when asked. */
import { TextWriter } from '../src/outputs/text/prometheus.ts';
import { FilledTable, type TableShape } from './filled-table.ts';
import { registryOf } from './prom-client-series.ts';
import { cpuTimeUs } from './rounds.ts';

export type TextContestant = 'promClient' | 'allChanged' | 'fewChanged';

export interface TextReady {
  readonly series: number;
  readonly prefixes: number;
}

export interface TextRound {
  readonly round: number;
  readonly bodies: number;
}

export type TextQuestion = TableShape | TextRound | 'body';

let writeBody: (round: number) => Promise<number>;
let body: () => Promise<string>;

function start(shape: TableShape): TextReady {
  const table = new FilledTable(shape);
  const all = [...table.states.keys()];
  if (process.argv[2] === 'promClient') {
    const registry = registryOf([table.view.collect()]);
    body = () => registry.metrics();
    writeBody = async () => {
      const before = cpuTimeUs();
      await registry.metrics();
      return cpuTimeUs() - before;
    };
  } else {
    const writer = new TextWriter('text');
    const changing = process.argv[2] === 'allChanged' ? all : all.filter((prefix) => prefix % 100 === 0);
    body = async () => {
      const text = writer.render([table.view.collect()]).toString();
      // With copied parts or not, the bytes must be the same.
      if (text !== new TextWriter('text').render([table.view.collect()]).toString())
        throw new Error('a body with copied parts differs from one written anew');
      return text;
    };
    writeBody = async (round) => {
      table.change(changing, round);
      const before = cpuTimeUs();
      writer.render([table.view.collect()]);
      return cpuTimeUs() - before;
    };
  }
  return { series: table.series, prefixes: table.states.length };
}

async function answer(question: TextQuestion): Promise<TextReady | number | string> {
  if (question === 'body') return body();
  if (!('bodies' in question)) return start(question);
  let cost = 0;
  for (let i = 0; i < question.bodies; i++) cost += await writeBody(question.round * question.bodies + i);
  return cost / question.bodies;
}

process.on('message', (question: TextQuestion) => {
  void answer(question).then((reply) => process.send?.(reply));
});
process.once('disconnect', () => process.exit(0));
