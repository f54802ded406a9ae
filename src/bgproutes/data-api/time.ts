/** Times as the Data API writes and reads them; all of them are UTC. */

/** Up to the year 9999, Unix seconds. */
const MAX_SECONDS = 253_402_300_800;

const ISO = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|[+-]00:?00)?$/;

/** `YYYY-MM-DDTHH:MM:SS` of Unix ms, cut to whole seconds. */
export function formatDate(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}

/**
 * Unix microseconds. How the API writes the time of an update is not documented, so all of these are read: Unix seconds as
 * a number or as text, with or without a fraction, and ISO 8601 text in UTC. Undefined when it is none of them.
 */
export function parseTimestampUs(value: unknown): number | undefined {
  if (typeof value === 'number') return secondsToUs(value);
  if (typeof value !== 'string' || value.length > 40) return undefined;
  if (/^\d{1,12}(?:\.\d{1,9})?$/.test(value)) return secondsToUs(Number(value));
  const match = ISO.exec(value);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  // Date.UTC takes the 31st of June for the 1st of July; a second of 60 is a leap second, and the next one here.
  const date = new Date(ms);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59)
    return undefined;
  const us = ms * 1000 + Math.floor(Number(`0.${match[7] ?? '0'}`) * 1_000_000 + 1e-6);
  return us > 0 ? us : undefined;
}

function secondsToUs(seconds: number): number | undefined {
  return seconds > 0 && seconds < MAX_SECONDS ? Math.round(seconds * 1_000_000) : undefined;
}
