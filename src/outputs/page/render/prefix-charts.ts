/** What the charts of a prefix's page show. */
import type { PastAnswer } from '../api-schemas.ts';

/** Where the lines of time go; each box keeps its size, whatever is in it. */
export const CHARTS = [
  { id: 'c-visible', title: 'Visible and expected VPs' },
  { id: 'c-origins', title: 'By origin' },
  { id: 'c-upstreams', title: 'By upstream, stacked' },
  { id: 'c-events', title: 'Announcements and withdrawals' },
  { id: 'c-length', title: 'Mean path length' },
] as const;

export type ChartId = (typeof CHARTS)[number]['id'];

/** A chart shows at least this much time. */
const MIN_SHOWN_MS = 10 * 60_000;

/** One line of a chart. */
export interface Line {
  readonly name: string;
  readonly values: readonly (number | null)[];
  /** Drawn in dashes, so that a line with the same values still shows between them. */
  readonly isDashed?: boolean;
}

export interface ChartData {
  readonly id: ChartId;
  readonly title: string;
  readonly fromMs: number;
  readonly stepMs: number;
  readonly lines: readonly Line[];
  readonly isStacked: boolean;
}

/** What is drawn in each chart, from the first sample on: soon after a start there are few. */
export function chartsOf({ counts, shares }: PastAnswer): ChartData[] {
  const ofCounts = { fromMs: Date.parse(counts.from), stepMs: counts.step_seconds * 1000, isStacked: false };
  const ofShares = { fromMs: Date.parse(shares.from), stepMs: shares.step_seconds * 1000, isStacked: false };
  const firstMs =
    Math.max(
      0,
      counts.visible_vps.findIndex((value) => value !== null),
    ) * ofCounts.stepMs;
  const skippedMs = Math.min(firstMs, counts.visible_vps.length * ofCounts.stepMs - MIN_SHOWN_MS);
  const named = (list: typeof shares.origins) =>
    list.map(({ as, vps }) => ({ name: /^[0-9]/.test(as) ? `AS${as}` : as, values: vps }));
  return CHARTS.map(({ id, title }): ChartData => {
    const chart = chartOf(id, title);
    const skipped = Math.floor(skippedMs / chart.stepMs);
    const lines = chart.lines.map((line) => ({ ...line, values: line.values.slice(skipped) }));
    return { ...chart, lines, fromMs: chart.fromMs + skipped * chart.stepMs };
  });

  function chartOf(id: ChartId, title: string): ChartData {
    switch (id) {
      case 'c-visible':
        return {
          ...{ id, title, ...ofCounts },
          lines: [
            { name: 'visible', values: counts.visible_vps },
            { name: 'expected', values: counts.expected_vps, isDashed: true },
          ],
        };
      case 'c-events':
        return {
          id,
          title,
          ...ofCounts,
          lines: [{ name: `events in ${counts.step_seconds} s`, values: counts.events }],
        };
      case 'c-origins':
        return { id, title, ...ofShares, lines: named(shares.origins) };
      case 'c-upstreams':
        return { id, title, ...ofShares, lines: named(shares.upstreams), isStacked: true };
      case 'c-length':
        return { id, title, ...ofShares, lines: [{ name: 'mean path length', values: shares.as_path_length_mean }] };
    }
  }
}
