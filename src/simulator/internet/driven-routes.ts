/** Routes that are set by hand: they stay until they are set again, whatever happens in the simulated Internet. */
import { parseAsPath } from '../../bgp/as-path.ts';
import { parsePrefix } from '../../bgp/prefix.ts';
import type { Internet } from './internet.ts';
import type { Route } from './routes/route.ts';
import type { SimulatedVantagePoint } from './vantage-points.ts';
import type { World } from './world.ts';

export class DrivenRoutes {
  readonly #world: World;
  readonly #internet: Internet;

  constructor(world: World, internet: Internet) {
    this.#world = world;
    this.#internet = internet;
  }

  /** @throws TypeError when there is no such VP */
  vp(vpKey: string): SimulatedVantagePoint {
    const vp = this.#world.points.byKey(vpKey);
    if (vp === undefined) throw new TypeError(`no vantage point ${JSON.stringify(vpKey)}`);
    return vp;
  }

  /** @throws TypeError for an unknown VP, a wrong prefix or AS path */
  announce(vpKey: string, prefixes: string | readonly string[], route: Pick<Route, 'asPath'> & Partial<Route>): void {
    const vp = this.vp(vpKey);
    if (parseAsPath(route.asPath) === undefined) throw new TypeError(`not an AS path: ${JSON.stringify(route.asPath)}`);
    const complete: Route = { communities: '', nextHop: '', originAttribute: '', ...route };
    const driven = this.#prefixes(prefixes);
    for (const prefix of driven) prefix.overrides.set(vp, { route: complete });
    const numbers = driven.map(({ number }) => number);
    this.#world.announce(vp, numbers, complete);
  }

  /** @throws TypeError for an unknown VP or a wrong prefix */
  withdraw(vpKey: string, prefixes: string | readonly string[]): void {
    const vp = this.vp(vpKey);
    const driven = this.#prefixes(prefixes);
    for (const prefix of driven) prefix.overrides.set(vp, { route: undefined });
    const numbers = driven.map(({ number }) => number);
    this.#world.withdraw(vp, numbers);
  }

  #prefixes(prefixes: string | readonly string[]) {
    return [prefixes].flat().map((text) => {
      const canonical = parsePrefix(text)?.text;
      if (canonical === undefined) throw new TypeError(`not a prefix: ${JSON.stringify(text)}`);
      return this.#internet.obtain(canonical);
    });
  }
}
