/** Lines of time by uPlot, in the boxes where the server has drawn plain ones. */
import uPlot from 'uplot';
import type { MarkAnswer } from '../api-schemas.ts';
import { escapeHtml } from '../render/html.ts';
import type { ChartData } from '../render/prefix-charts.ts';
import { MARK_TONES, stacked } from '../render/time-chart.ts';

interface Chart {
  plot: uPlot;
  /** A chart with other series needs a new plot. */
  readonly shape: string;
  data: ChartData;
  marks: readonly MarkAnswer[];
}

const COLOURS = ['--s1', '--s2', '--s3', '--s4', '--s5'];
/** How much the parts of a stack cover, as two digits that are put behind a colour of six. */
const FILL_ALPHA = '59';
const MIN_PLOT_HEIGHT = 90;
/** Pixels drawn and left out, as `.line.dashed` of the style has them. */
const DASHES = [6, 5];

export class Charts {
  readonly #charts = new Map<string, Chart>();
  readonly #sync = uPlot.sync('time');
  #last: [charts: readonly ChartData[], marks: readonly MarkAnswer[]] | undefined;

  constructor() {
    addEventListener('resize', () => {
      for (const [id, { plot }] of this.#charts) fitPlot(plot, document.getElementById(id));
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      for (const { plot } of this.#charts.values()) plot.destroy();
      this.#charts.clear();
      if (this.#last !== undefined) this.show(...this.#last);
    });
  }

  show(charts: readonly ChartData[], marks: readonly MarkAnswer[]): void {
    this.#last = [charts, marks];
    for (const data of charts) {
      const box = document.getElementById(data.id);
      if (box === null) continue;
      // A screen reader is told what the plain picture told.
      box.setAttribute('role', 'img');
      box.setAttribute('aria-label', labelOf(data));
      const shape = `${data.stepMs} ${data.lines.map(({ name }) => name).join()}`;
      const known = this.#charts.get(data.id);
      if (known?.shape === shape) {
        known.data = data;
        known.marks = marks;
        known.plot.setData(valuesOf(data));
        fitPlot(known.plot, box);
        continue;
      }
      known?.plot.destroy();
      box.replaceChildren();
      const chart: Chart = { shape, data, marks, plot: undefined as unknown as uPlot };
      chart.plot = new uPlot(optionsOf(chart, box, this.#sync), valuesOf(data), box);
      fitPlot(chart.plot, box);
      this.#charts.set(data.id, chart);
    }
  }
}

function labelOf({ title, lines }: ChartData): string {
  const last = lines.map(({ name, values }) => `${name} ${values.findLast((value) => value !== null) ?? 'none'}`);
  return `${title}: ${last.join(', ')}`;
}

function sizeOf(box: HTMLElement | null): { width: number; height: number } {
  return { width: box?.clientWidth ?? 300, height: box?.clientHeight ?? 200 };
}

/** Gives the plot the room that its legend leaves, which has as many lines as its names need. */
function fitPlot(plot: uPlot, box: HTMLElement | null): void {
  const { width, height } = sizeOf(box);
  const legend = plot.root.querySelector<HTMLElement>('.u-legend')?.offsetHeight ?? 0;
  const rest = Math.max(MIN_PLOT_HEIGHT, height - legend);
  if (plot.width !== width || plot.height !== rest) plot.setSize({ width, height: rest });
}

function valuesOf({ lines, fromMs, stepMs, isStacked }: ChartData): uPlot.AlignedData {
  const values = lines.map((line) => line.values);
  const times = Array.from({ length: values[0]?.length ?? 0 }, (_, i) => (fromMs + i * stepMs) / 1000);
  return [times, ...(isStacked ? stacked(values) : values.map((line) => [...line]))];
}

/** @param chart keeps its series; what it shows of them later is read from it again */
function optionsOf(chart: Chart, box: HTMLElement, sync: uPlot.SyncPubSub): uPlot.Options {
  const { data } = chart;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const lineColour = (i: number): string => colour(COLOURS[Math.min(i, COLOURS.length - 1)]);
  const [text, line] = [colour('--dim'), colour('--line')];
  const axis = {
    stroke: text,
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1 },
    font: '11px sans-serif',
  };
  const isLong = data.stepMs >= 600_000;
  return {
    ...sizeOf(box),
    // Half of a label may stand behind the end of the axis.
    padding: [null, isLong ? 36 : 18, null, null],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'UTC'),
    cursor: { sync: { key: sync.key }, drag: { x: false, y: false }, points: { size: 6 } },
    legend: { live: true, markers: { fill: (_, series) => lineColour(series - 1) } },
    scales: {
      // The last step has begun, and something may have happened since.
      x: { range: () => spanOf(chart.data) },
      y: { range: (_, __, max) => [0, max <= 0 ? 1 : max * 1.05] },
    },
    axes: [
      {
        ...{ ...axis, size: 30, space: isLong ? 100 : 70 },
        values: (_, splits) => splits.map((seconds) => timeOf(seconds, isLong)),
      },
      { ...axis, size: 48 },
    ],
    series: [
      { label: 'UTC', value: (_, __, ___, at) => stepTime(chart.data, at, isLong) },
      ...data.lines.map(({ name, isDashed }, i): uPlot.Series => {
        const stroke = lineColour(i);
        return {
          label: escapeHtml(name),
          stroke,
          width: 1.6,
          ...(isDashed === true && { dash: DASHES }),
          // A sample alone makes no line.
          points: { show: true, size: 4, filter: (plot, line) => alone(plot.data[line]) },
          // The line of a stack is drawn at the sum of all below it; the legend tells the line's own value.
          value: (_, __, ___, at) => String(valueAt(chart.data, i, at) ?? 'none'),
          // The lowest is filled down to zero, each other down to the one below it: fills on fills would be grey.
          ...(data.isStacked && i === 0 && { fill: `${stroke}${FILL_ALPHA}` }),
        };
      }),
    ],
    bands: data.isStacked
      ? data.lines.slice(1).map((_, i) => ({
          series: [i + 2, i + 1],
          fill: `${lineColour(i + 1)}${FILL_ALPHA}`,
        }))
      : [],
    hooks: { draw: [(plot) => drawMarks(plot, chart.marks, colour)] },
  };
}

/** Unix seconds. */
function spanOf({ lines, fromMs, stepMs }: ChartData): [from: number, to: number] {
  const steps = Math.max(1, ...lines.map(({ values }) => values.length));
  return [fromMs / 1_000, (fromMs + steps * stepMs) / 1_000];
}

function alone(values: uPlot.AlignedData[number]): number[] {
  const places: number[] = [];
  for (let i = 0; i < values.length; i++)
    if (values[i] != null && values[i - 1] == null && values[i + 1] == null) places.push(i);
  return places;
}

/** The step that the pointer is at; the newest one with a sample where it is elsewhere. */
function stepOf({ lines }: ChartData, at: number | null | undefined): number {
  return at ?? Math.max(0, ...lines.map(({ values }) => values.findLastIndex((value) => value !== null)));
}

function valueAt(data: ChartData, line: number, at: number | null | undefined): number | undefined {
  const value = data.lines[line]?.values[stepOf(data, at)] ?? undefined;
  return value === undefined ? undefined : Math.round(100 * value) / 100;
}

function stepTime(data: ChartData, at: number | null | undefined, isLong: boolean): string {
  const text = new Date(data.fromMs + stepOf(data, at) * data.stepMs).toISOString().replace('T', ' ');
  return isLong ? text.slice(5, 16) : text.slice(11, 19);
}

function timeOf(seconds: number, isLong: boolean): string {
  const text = new Date(seconds * 1000).toISOString();
  return isLong ? text.slice(5, 16).replace('T', ' ') : text.slice(11, seconds % 60 === 0 ? 16 : 19);
}

/** A line for each thing that happened, with a triangle: down for what is bad, up for what is over. */
function drawMarks(plot: uPlot, marks: readonly MarkAnswer[], colour: (name: string) => string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const { at, kind } of marks) {
    const x = plot.valToPos(Date.parse(at) / 1000, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const tone = MARK_TONES[kind];
    ctx.strokeStyle = ctx.fillStyle = colour(`--${tone}`);
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash(tone === 'bad' ? [] : [4, 3]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const size = 5 * devicePixelRatio;
    const [base, tip] = tone === 'good' ? [bbox.top + size, bbox.top] : [bbox.top, bbox.top + size];
    ctx.beginPath();
    ctx.moveTo(x - size, base);
    ctx.lineTo(x + size, base);
    ctx.lineTo(x, tip);
    ctx.fill();
  }
  ctx.restore();
}
