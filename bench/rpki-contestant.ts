/** A process that reads validated data from a source when asked, all of it kept, and tells what that takes. */
import { parsePrefix } from '../src/bgp/prefix.ts';
import { createLogger } from '../src/logger.ts';
import { makeSources } from '../src/rpki/make-sources.ts';
import { RpkiScope } from '../src/rpki/scope.ts';
import type { RpkiSourceConfig } from '../src/rpki/source-config.ts';
import { systemTimers } from '../src/stream/timers.ts';
import { longestTurnMs } from './turn-clock.ts';

export interface RpkiReading {
  readonly vrps: number;
  readonly aspas: number;
  /** Of V8's heap and of buffers outside of it, when the data is read. */
  readonly bytes: number;
  /** CPU time of the longest turn of the event loop while it was read. */
  readonly longestTurnMs: number;
}

function inUse(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function read(place: RpkiSourceConfig): Promise<RpkiReading> {
  const scope = new RpkiScope(['0.0.0.0/0', '::/0'].flatMap((text) => parsePrefix(text) ?? []));
  const log = createLogger({ level: 'error', format: 'logfmt', destination: process.stderr });
  const [source] = makeSources(
    {
      ...{ places: [place], maxAgeMs: 1e12, timers: systemTimers, unixMs: Date.now, userAgent: 'bench', log },
    },
    scope,
  );
  const before = inUse();
  source.start();
  const longest = await longestTurnMs(() => source.state.data !== undefined || source.state.hasFailed);
  const { data } = source.state;
  if (data === undefined) throw new Error('the set of the bench was refused');
  const bytes = inUse() - before;
  await source.stop();
  return { vrps: data.vrps.size, aspas: data.aspas.size, bytes, longestTurnMs: longest };
}

process.on('message', (place: RpkiSourceConfig) => {
  void read(place).then((reading) => process.send?.(reading));
});
process.once('disconnect', () => process.exit(0));
