/** The noise of the Internet: single VPs change their minds, repeat themselves, lose a route and find it again. */
import type { Internet } from './internet.ts';
import { seededRandom } from './random.ts';
import type { SimulatedPrefix } from './simulated-prefix.ts';
import type { Timeline } from './timeline.ts';
import type { SimulatedVantagePoint } from './vantage-points.ts';
import type { World } from './world.ts';

export interface ChurnOptions {
  readonly world: World;
  readonly internet: Internet;
  readonly timeline: Timeline;
  readonly seed: number;
  /** On average, over all VPs and prefixes, in scenario time. 0: none. */
  readonly eventsPerMinute: number;
}

/** Goes on until the timeline is stopped. */
export function startChurn(options: ChurnOptions): void {
  const { world, internet, timeline, eventsPerMinute } = options;
  if (eventsPerMinute <= 0) return;
  const random = seededRandom(options.seed, 'churn');
  const meanGapMs = 60_000 / eventsPerMinute;

  const happen = (prefix: SimulatedPrefix, vp: SimulatedVantagePoint): void => {
    const held = world.store.held(vp.index, prefix.number);
    if (held === undefined || prefix.overrides.has(vp)) return;
    const kind = random.next();
    if (kind < 0.5) {
      const route = internet.alternative(prefix, vp, prefix.routing, random);
      if (route !== undefined) internet.override(prefix, vp, { route }, random.between(5_000, 60_000));
    } else if (kind < 0.75) {
      world.announce(vp, [prefix.number], held);
    } else if (kind < 0.9) {
      const route = internet.usualRoute(prefix, vp, 1 + random.int(1_000));
      if (route !== undefined) internet.override(prefix, vp, { route }, random.between(20_000, 120_000));
    } else {
      internet.override(prefix, vp, { route: undefined }, random.between(2_000, 15_000));
    }
  };

  const next = (): void => {
    const prefixes = [...internet.prefixes.values()];
    const vps = world.points.all;
    if (prefixes.length > 0 && vps.length > 0) happen(random.pick(prefixes), random.pick(vps));
    timeline.after(random.exponential(meanGapMs), next);
  };
  timeline.after(random.exponential(meanGapMs), next);
}
