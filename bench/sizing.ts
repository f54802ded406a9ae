/**
 * What an exporter needs for how many prefixes and vantage points: `npm run bench:sizing` prints the rows of docs/sizing.md.
 * Each shape is filled in a process of its own: every vantage point holds a route for every prefix, over one of two paths.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PlaceView } from '../src/metrics/views/place-view.ts';
import { TextWriter } from '../src/outputs/text/prometheus.ts';
import { FilledTable, seriesOf, type TableShape } from './filled-table.ts';

/** Ten origins in all; a tenth of the prefixes each. */
const ORIGINS = 10;
const SHAPES: readonly TableShape[] = [
  [10, 1_000],
  [10, 5_000],
  [100, 1_000],
  [100, 5_000],
  [1_000, 1_000],
  [1_000, 5_000],
  [10_000, 1_000],
].map(([prefixes, vps]) => ({ prefixes, vps, origins: ORIGINS }));

interface Size {
  readonly routes: number;
  readonly series: number;
  /** Of the table, its views and one body in each format that was asked for. */
  readonly tableBytes: number;
  readonly bodyBytes: number;
  /** The process as a whole. */
  readonly residentBytes: number;
}

function inUse(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function sizeOf(shape: TableShape): Size {
  const before = inUse();
  const filled = new FilledTable(shape);
  const writer = new TextWriter('openmetrics');
  const places = new PlaceView(filled.table);
  const views = [filled.view.collect(), places.collect()];
  const bodyBytes = writer.render(views).length;
  const tableBytes = inUse() - before;
  return {
    ...{ routes: filled.table.routes, series: seriesOf(views), tableBytes, bodyBytes },
    residentBytes: process.memoryUsage().rss,
  };
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2).toLocaleString('en-US')} MiB`;

function row({ prefixes, vps }: TableShape, { routes, series, tableBytes, bodyBytes, residentBytes }: Size): string {
  const cells = [prefixes, vps, routes, series].map((value) => value.toLocaleString('en-US'));
  return `| ${[...cells, mebibytes(bodyBytes), mebibytes(tableBytes), mebibytes(residentBytes)].join(' | ')} |`;
}

if (process.send !== undefined) {
  process.once('message', (shape: TableShape) => {
    process.send?.(sizeOf(shape), () => process.disconnect());
  });
} else {
  process.stdout.write(
    '| prefixes | VPs | routes | series | a scrape | the table | process |\n| --- | --- | --- | --- | --- | --- | --- |\n',
  );
  for (const shape of SHAPES) {
    const child = fork(fileURLToPath(import.meta.url), { execArgv: ['--expose-gc'] });
    child.send(shape);
    const size = await new Promise<Size>((resolve, reject) => {
      child.once('message', (message) => resolve(message as Size));
      child.once('exit', (code) => reject(new Error(`a process ended with code ${code} before it answered`)));
    });
    process.stdout.write(`${row(shape, size)}\n`);
  }
}
