/** One prefix of the generated Internet: who announces it, and what is out of the ordinary about it now. */
import type { Afi } from '../../bgp/prefix.ts';
import type { Announcer, Routing } from './routes/propagation.ts';
import type { Route } from './routes/route.ts';
import type { SimulatedVantagePoint } from './vantage-points.ts';

/** One AS that may announce a prefix, and how long the longest part of it may be. */
export interface Roa {
  readonly asn: number;
  readonly maxLength: number;
}

/** What a VP holds instead of what the topology gives it. An empty one: nothing. */
export interface Override {
  readonly route: Route | undefined;
}

export interface SimulatedPrefix {
  readonly number: number;
  readonly text: string;
  readonly afi: Afi;
  /** Its announcers when all is well; none for what only a hijack brings up. */
  readonly usual: readonly Announcer[];
  announcers: readonly Announcer[];
  /** What is signed for it since a step changed that; undefined: what `roasOf` says. */
  roas: readonly Roa[] | undefined;
  /** Providers that ASes name since a step about this prefix changed that, by customer; undefined: it has no ASPA any more. */
  readonly aspas: Map<number, readonly number[] | undefined>;
  routing: Routing;
  /** VPs that a partial outage hides it from. */
  readonly hiddenFrom: Set<SimulatedVantagePoint>;
  readonly overrides: Map<SimulatedVantagePoint, Override>;
  /** More-specifics that a hijack brought up. */
  readonly hijackedParts: Set<SimulatedPrefix>;
  /** Goes up with every step, so that what an earlier one has planned knows that it is over. */
  generation: number;
}
