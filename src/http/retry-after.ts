/** When a server wants to be asked again, and other dates of HTTP. */

/** Milliseconds from now: seconds or an HTTP date (RFC 9110 section 10.2.3). Undefined: not said, or not readable. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const atMs = parseHttpDate(value);
  return atMs === undefined ? undefined : Math.max(0, atMs - nowMs);
}

/** Unix ms. Dates begin with the name of a day; Date.parse alone would take "-1" for the year 2001. */
export function parseHttpDate(value: string): number | undefined {
  const atMs = /^[A-Z]/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : atMs;
}
