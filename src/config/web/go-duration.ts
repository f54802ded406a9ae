/** Durations as Go's `time.ParseDuration` reads them, which is what exporter-toolkit does: `1s`, `1h30m`, `1.5h`, `-1s`. */

const UNITS: Readonly<Record<string, number>> = {
  ...{ ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1 },
  ...{ s: 1_000, m: 60_000, h: 3_600_000 },
};

/** Milliseconds, also fractions and negative ones; undefined when the text is no duration. A bare whole number is nanoseconds. */
export function parseGoDuration(text: string): number | undefined {
  if (/^[-+]?[0-9]{1,18}$/.test(text)) return Number(text) * 1e-6;
  const [, sign, body] =
    /^([-+]?)((?:(?:[0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text) ?? [];
  if (body === undefined) return undefined;
  let ms = 0;
  for (const [, count, unit] of body.matchAll(/([0-9.]+)([a-zµμ]+)/g)) ms += Number(count) * UNITS[unit];
  return sign === '-' ? -ms : ms;
}
