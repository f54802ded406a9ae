/** A line of time as plain SVG: what is seen without a script, and by a screen reader. */
import type { MarkAnswer } from '../api-schemas.ts';
import { escapeHtml } from './html.ts';
import type { ChartData } from './prefix-charts.ts';

/** The sizes of the boxes on a wide page: of most charts, and of the one that is as wide as the page. */
const SIZE = { width: 600, height: 190 } as const;
const FULL_SIZE = { width: 1_200, height: 215 } as const;
const LEFT = 44;
const BOTTOM = 20;

/** Shapes of marks: bad things point down, their ends point up. */
export const MARK_TONES: Readonly<Record<MarkAnswer['kind'], 'bad' | 'good' | 'warn'>> = {
  hijack: 'bad',
  hijack_over: 'good',
  outage: 'bad',
  recovery: 'good',
  more_specific: 'bad',
  more_specific_over: 'good',
  path_change: 'warn',
  vp_loss: 'warn',
  gap: 'warn',
  gap_over: 'good',
};

/** Puts lines on top of one another: each gets the sum of itself and of those below it. */
export function stacked(lines: readonly (readonly (number | null)[])[]): (number | null)[][] {
  const sums: (number | null)[][] = [];
  for (const line of lines) {
    const below = sums.at(-1);
    sums.push(
      line.map((value, i) =>
        value === null && (below?.[i] ?? null) === null ? null : (value ?? 0) + (below?.[i] ?? 0),
      ),
    );
  }
  return sums;
}

export function timeChart(chart: ChartData, marks: readonly MarkAnswer[]): string {
  const { lines, fromMs, stepMs, isStacked, title } = chart;
  const { width, height } = chart.id === 'c-visible' ? FULL_SIZE : SIZE;
  const shown = isStacked ? stacked(lines.map(({ values }) => values)) : lines.map(({ values }) => values);
  const known = shown.flat().filter((value) => value !== null);
  if (known.length === 0) return '<p class="dim">Nothing sampled yet.</p>';
  const steps = Math.max(...shown.map((values) => values.length));
  const top = niceTop(Math.max(...known));
  // The last step has begun, and something may have happened since: it has its place like the others.
  const x = (i: number) => LEFT + ((width - LEFT - 4) * i) / steps;
  const y = (value: number) => 6 + (height - BOTTOM - 6) * (1 - value / top);
  const grid = [0, top / 2, top].map(
    (value) =>
      `<path class="grid" d="M${LEFT} ${y(value).toFixed(1)}H${width - 4}"/><text x="${LEFT - 6}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${Math.round(value * 10) / 10}</text>`,
  );
  const paths = shown.map(
    (values, i) =>
      `<path class="line s${Math.min(i, 4) + 1}${lines[i].isDashed === true ? ' dashed' : ''}" d="${pathOf(values, x, y)}"/>`,
  );
  const endMs = fromMs + steps * stepMs;
  const markLines = marks
    .map(({ at, kind }) => ({ atMs: Date.parse(at), kind }))
    .filter(({ atMs }) => atMs >= fromMs && atMs <= endMs)
    .map(
      ({ atMs, kind }) =>
        `<path class="mark ${MARK_TONES[kind]}" d="M${x((atMs - fromMs) / stepMs).toFixed(1)} 6V${height - BOTTOM}"/>`,
    );
  const times = [0, 0.5, 1].map((part) => {
    const at = new Date(fromMs + part * (endMs - fromMs)).toISOString();
    const anchor = part === 0 ? 'start' : part === 1 ? 'end' : 'middle';
    return `<text x="${x(part * steps).toFixed(1)}" y="${height - 4}" text-anchor="${anchor}">${steps * stepMs > 86_400_000 ? at.slice(5, 10) : at.slice(11, 16)}</text>`;
  });
  const last = lines
    .map(({ name, values }) => `${name} ${values.findLast((value) => value !== null) ?? 'none'}`)
    .join(', ');
  const legend = lines.map(
    ({ name }, i) =>
      `<span><svg class="key s${Math.min(i, 4) + 1}" viewBox="0 0 8 8" aria-hidden="true"><rect width="8" height="8" rx="2"/></svg>${escapeHtml(name)}</span>`,
  );
  return `<svg class="time" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(`${title}: ${last}`)}">${grid.join('')}${markLines.join('')}${paths.join('')}${times.join('')}</svg><p class="legend">${legend.join('')}</p>`;
}

function pathOf(values: readonly (number | null)[], x: (i: number) => number, y: (value: number) => number): string {
  let path = '';
  let isDrawn = false;
  for (const [i, value] of values.entries()) {
    if (value === null) isDrawn = false;
    else {
      // A sample alone is a short dash, or nothing of it would show.
      path += `${isDrawn ? 'L' : 'M'}${x(i).toFixed(1)} ${y(value).toFixed(1)}${isDrawn ? '' : 'h.5'}`;
      isDrawn = true;
    }
  }
  return path;
}

/** 1, 2, 2.5 or 5 times a power of ten, not below the value. */
export function niceTop(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((top) => top >= value) ?? 10 * power;
}
