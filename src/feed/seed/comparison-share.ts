/** How much of a session's table one comparison may ask its history for: some histories are not to be asked for all of it. */
import type { Logger } from '../../logger.ts';
import { type History, titleOf } from '../../stream/history.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How many of a session's prefixes one comparison of the clock may ask for, at least one. */
export function mostCompared(history: History | undefined, intervalMs: number): number {
  const { comparedADay = Number.POSITIVE_INFINITY } = history ?? {};
  return Math.max(1, Math.floor((comparedADay * intervalMs) / DAY_MS));
}

/** Tells where a comparison of all prefixes takes several intervals. */
export function tellShare(
  logger: Logger,
  session: number,
  prefixes: number,
  history: History | undefined,
  intervalMs: number,
): void {
  const most = mostCompared(history, intervalMs);
  if (history === undefined || intervalMs === 0 || prefixes <= most) return;
  const hours = Math.ceil((prefixes / most) * (intervalMs / HOUR_MS));
  logger.info(
    `the table is compared with ${titleOf(history)} in parts, because it would be asked too often otherwise`,
    {
      ...{ session, prefixes, at_once: most, hours_until_all: hours },
    },
  );
}
