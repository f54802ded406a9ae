/** Small pictures as SVG. Sizes stand in attributes: the page's policy allows no styles in markup. */
import type { AsCount } from '../api-schemas.ts';
import { asName, escapeHtml, formatAge, percent } from './html.ts';

const SPARK = { width: 120, height: 28 } as const;

/** The usual length of a sparkline, ms; the head of its column says so. */
const SPARK_MS = 4 * 60 * 60_000;
/** A sparkline shows at least so many values, or the first ones after a start would be bars of their own. */
const MIN_SPARK_STEPS = 6;

/**
 * The lowest visibility of each step, in percent; null leaves a gap. It begins at the first value that is known.
 * @param all empty where no history is kept
 */
export function sparkline(all: readonly (number | null)[], stepSeconds: number): string {
  const known = all.filter((value) => value !== null);
  const { width, height } = SPARK;
  // As high as with the first sample, or the rows below would move when it comes.
  if (known.length === 0)
    return `<svg class="spark" viewBox="0 0 ${width} ${height}" aria-hidden="true"></svg><small>${all.length === 0 ? 'not kept' : 'no history yet'}</small>`;
  const first = all.findIndex((value) => value !== null);
  const values = all.slice(Math.max(0, Math.min(first, all.length - MIN_SPARK_STEPS)));
  const step = width / values.length;
  const y = (value: number) => round(1 + (height - 2) * (1 - value / 100));
  const areas: string[] = [];
  let run: string[] = [];
  let from = 0;
  const end = (at: number): void => {
    if (run.length > 0) areas.push(`M${round(from)} ${height}L${run.join('L')}L${round(at)} ${height}z`);
    run = [];
  };
  for (const [i, value] of values.entries()) {
    if (value === null) end(i * step);
    else {
      if (run.length === 0) from = i * step;
      run.push(`${round(i * step)} ${y(value)}`, `${round((i + 1) * step)} ${y(value)}`);
    }
  }
  end(width);
  const spanMs = values.length * stepSeconds * 1_000;
  const time = formatAge(spanMs);
  const note = spanMs < SPARK_MS ? `<small>of ${time}</small>` : '';
  const label = `lowest visibility of the last ${time}: ${Math.min(...known)} %`;
  return `<svg class="spark" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${label}"><path d="${areas.join('')}"/></svg>${note}`;
}

/** How much of the whole; red or yellow is told by the state beside it. */
export function meter(ratio: number): string {
  return `<svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="4"/><rect class="of" width="${round(100 * Math.min(1, ratio))}" height="4"/></svg>`;
}

/** Shares of several ASes side by side. */
export function shareBar(parts: readonly AsCount[], all: number): string {
  if (all === 0 || parts.length === 0) return '';
  let x = 0;
  const bars = parts.slice(0, 4).map(({ vps, expected }, i) => {
    const width = (100 * vps) / all;
    const bar = `<rect class="s${i + 1}${expected ? '' : ' odd'}" x="${round(x)}" width="${round(Math.max(0, width - 0.6))}" height="6"/>`;
    x += width;
    return bar;
  });
  return `<svg class="shares" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect class="rest" width="100" height="6"/>${bars.join('')}</svg>`;
}

export interface PathLink {
  readonly from: string;
  readonly to: string;
  readonly hop: number;
  readonly vps: number;
}

const NODE = { width: 112, gap: 14, column: 200 } as const;
/** Characters of a name that fit into a node. */
const MAX_NODE_NAME = 18;

/** The paths to the origin: ASes in columns, the origin on the right, links as wide as their share. */
export function pathGraph(links: readonly PathLink[], names: Readonly<Record<string, string>>): string {
  if (links.length === 0) return '<p class="dim">No paths: no vantage point sees the prefix over another AS.</p>';
  const hops = Math.max(...links.map(({ hop }) => hop));
  const columns = Array.from({ length: hops + 1 }, () => new Map<string, number>());
  const add = (hop: number, as: string, vps: number): void => {
    columns[hop].set(as, (columns[hop].get(as) ?? 0) + vps);
  };
  for (const { from, to, hop, vps } of links) {
    add(hop, from, vps);
    if (hop === 1) add(0, to, vps);
  }
  // An AS that only passes routes on has no link of its own above it.
  for (const { to, hop } of links) if (!columns[hop - 1].has(to)) add(hop - 1, to, 0);
  const all = links.filter(({ hop }) => hop === 1).reduce((sum, { vps }) => sum + vps, 0);
  const rows = Math.max(...columns.map(({ size }) => size));
  const nodeHeight = Object.keys(names).length === 0 ? 30 : 42;
  const height = rows * (nodeHeight + NODE.gap);
  const width = hops * NODE.column + NODE.width;
  const places = columns.map((column, hop) => {
    const sorted = [...column].sort(
      ([a, vpsA], [b, vpsB]) => Number(a === 'other') - Number(b === 'other') || vpsB - vpsA,
    );
    const top = (height - sorted.length * (nodeHeight + NODE.gap) + NODE.gap) / 2;
    return new Map(
      sorted.map(([as], i) => [as, { x: (hops - hop) * NODE.column, y: top + i * (nodeHeight + NODE.gap) }]),
    );
  });
  const lines = links.map(({ from, to, hop, vps }) => {
    const [a, b] = [places[hop].get(from), places[hop - 1].get(to)];
    if (a === undefined || b === undefined) return '';
    const [x1, y1, x2, y2] = [a.x + NODE.width, a.y + nodeHeight / 2, b.x, b.y + nodeHeight / 2];
    const middle = (x1 + x2) / 2;
    const strokeWidth = round(Math.max(1, (20 * vps) / Math.max(1, all)));
    return `<path class="link" stroke-width="${strokeWidth}" d="M${x1} ${round(y1)}C${middle} ${round(y1)} ${middle} ${round(y2)} ${x2} ${round(y2)}"/>`;
  });
  const nodes = places.flatMap((column, hop) =>
    [...column].map(([as, { x, y }]) => {
      const vps = columns[hop].get(as) ?? 0;
      const share = vps === 0 ? '' : percent(vps / Math.max(1, all));
      const middle = NODE.width / 2;
      const name = names[as];
      const named =
        name === undefined ? '' : `<text class="small" x="${middle}" y="37">${escapeHtml(shortened(name))}</text>`;
      const text = `<text x="${middle}" y="13">${asName(as)}</text><text class="small" x="${middle}" y="25">${share}</text>${named}`;
      return `<g class="node${hop === 0 ? ' origin' : ''}" transform="translate(${x} ${round(y)})"><rect width="${NODE.width}" height="${nodeHeight}" rx="5"/>${text}</g>`;
    }),
  );
  const said = links
    .filter(({ hop }) => hop === 1)
    .map(({ from, to, vps }) => `${asName(from)} to ${asName(to)}: ${vps}`)
    .join(', ');
  const label = escapeHtml(`Paths to the origin by vantage points: ${said}`);
  return `<div class="scroll" tabindex="0" role="region" aria-label="Paths to the origin"><svg class="graph" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}">${lines.join('')}${nodes.join('')}</svg></div>`;
}

function shortened(name: string): string {
  const characters = [...name];
  return characters.length > MAX_NODE_NAME ? `${characters.slice(0, MAX_NODE_NAME - 1).join('')}…` : name;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
