/** How often a keeper does what, and how long it waits. */

/** Prefixes swept in one turn of the event loop: at 20,000 VPs below 10 ms. */
export const SWEEP_ROWS = 16;

/** How often the keeper looks for frames that could not be read, and the shortest time between two comparisons because of them. */
export const FAILURE_CHECK_MS = 60_000;
export const FAILURE_PAUSE_MS = 10 * 60_000;
/** After how long a list that is doubted is asked for again, ms. */
export const LIST_RETRY_MS = 60_000;
/** How often it is looked whether the machine's clock was set. */
export const CLOCK_CHECK_MS = 1_000;
/** A history may be a little later than it is said to be. */
export const SETTLE_MS = 5_000;
