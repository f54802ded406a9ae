/** Reads the sources of validated data once, for a command: the first that is usable answers, as for the exporter. */
import type { Prefix } from '../bgp/prefix.ts';
import { sleep } from '../stream/timers.ts';
import { makeSources, type RpkiSourcesOptions } from './make-sources.ts';
import { type UsableData, ValidatedData } from './validated-data.ts';

/** How often the sources are checked for an answer, ms. */
const LOOK_MS = 20;

export interface ReadOnceOptions extends RpkiSourcesOptions {
  /** VRPs that can matter for these are kept. */
  readonly prefixes: readonly Prefix[];
  /** How long the sources have to answer, ms. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/** Undefined: no source has given data that is fresh enough, or the signal was aborted. The log says why. Never rejects. */
export async function readOnce({
  prefixes,
  limitMs,
  signal,
  ...options
}: ReadOnceOptions): Promise<UsableData | undefined> {
  const { timers, unixMs } = options;
  const data = new ValidatedData(prefixes, (scope) => makeSources(options, scope));
  data.start();
  try {
    for (const endMs = timers.elapsed() + limitMs; ; ) {
      const usable = data.usable(unixMs());
      // A usable source answers only when all sources before it have answered or failed.
      const before = usable === undefined ? data.sources : data.sources.slice(0, usable.place);
      const isDecided = before.every(({ state }) => state.hasFailed || state.data !== undefined);
      if (isDecided || signal.aborted || timers.elapsed() >= endMs) return usable;
      await sleep(timers, LOOK_MS, signal);
    }
  } finally {
    await data.stop();
  }
}
