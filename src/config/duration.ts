/** Durations as Prometheus writes them: `1h30m`, `90s`, `500ms`, `0`. Inside the program they are milliseconds. */

const UNITS = [
  ['y', 365 * 86_400_000],
  ['w', 7 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** The grammar of Prometheus: whole numbers, each unit at most once, from the largest to the smallest. */
const PATTERN = new RegExp(`^${UNITS.map(([unit]) => `(?:([0-9]{1,9})${unit})?`).join('')}$`);

/** Milliseconds, or undefined when the text is no duration. Only `0` needs no unit. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = PATTERN.exec(text);
  if (match === null || text === '') return undefined;
  return UNITS.reduce((ms, [, unitMs], i) => ms + Number(match[i + 1] ?? 0) * unitMs, 0);
}

/** The shortest spelling that `parseDuration` reads back; weeks and years are written as days. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = '';
  for (const [unit, unitMs] of UNITS.slice(2)) {
    const count = Math.floor(rest / unitMs);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs;
  }
  return text === '' ? '0' : text;
}
