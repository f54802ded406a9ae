/** The sources of validated data that a configuration names. */
import type { Logger } from '../logger.ts';
import type { Timers } from '../stream/timers.ts';
import { JsonSource } from './json/json-source.ts';
import { RtrSource } from './rtr/rtr-source.ts';
import type { RpkiScope } from './scope.ts';
import type { RpkiSourceConfig } from './source-config.ts';
import type { RpkiSource } from './validated-data.ts';

export interface RpkiSourcesOptions {
  readonly places: readonly RpkiSourceConfig[];
  /** Data that was made longer ago is not used, ms. */
  readonly maxAgeMs: number;
  readonly timers: Timers;
  /** What the machine's clock shows, Unix ms. */
  readonly unixMs: () => number;
  readonly userAgent: string;
  readonly log: Logger;
}

export function makeSources({ places, ...common }: RpkiSourcesOptions, scope: RpkiScope): RpkiSource[] {
  return places.map((place, i) => {
    const name = String(i);
    if (place.kind !== 'rtr') return new JsonSource({ ...common, place, intervalMs: place.intervalMs, scope, name });
    const { host, port, tls } = place;
    return new RtrSource({ ...common, host, port, tls: tls ? {} : undefined, scope, name });
  });
}
