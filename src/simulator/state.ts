/** What `GET /-/state` tells of a simulator. */

import type { Simulator } from './contract.ts';
import type { World } from './internet/world.ts';

export function stateOf(simulator: Simulator, world: World): unknown {
  const all = world.prefixes.all.filter((_, number) => world.store.visible(number) > 0);
  return {
    vantagePointsUp: world.liveVantagePoints().length,
    visibleVps: Object.fromEntries(all.map(({ text }) => [text, simulator.visibleVps(text)])),
    sessions: simulator.sessions(),
    stats: simulator.stats,
    faults: simulator.faults.counts,
  };
}
