/**
 * What must be true of the exporter's numbers beside the routes: who is expected, and when it may be trusted. Exact where the
 * simulator knows exactly; between bounds where it depends on the moment at which the exporter learnt of a VP's end.
 */
import type { Simulator } from '../../src/simulator/contract.ts';
import { type Samples, sum } from './exporter-handle.ts';
import { PREFIXES } from './world.ts';

export class Oracle {
  readonly #simulator: Simulator;
  readonly #coversRun: boolean;
  readonly #isHeard: (vpKey: string) => boolean;
  /** By prefix, VPs by key. */
  readonly #heldAtStart: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #everHeld: ReadonlyMap<string, Set<string>>;
  readonly #died = new Set<string>();

  /**
   * @param coversRun the window of the denominator is longer than the run: a window ago is before its start
   * @param isHeard whether a source of the exporter delivers the VP
   */
  constructor(simulator: Simulator, coversRun: boolean, isHeard: (vpKey: string) => boolean) {
    this.#isHeard = isHeard;
    this.#simulator = simulator;
    this.#coversRun = coversRun;
    this.#heldAtStart = this.#holders();
    this.#everHeld = this.#holders();
  }

  /** To be called after every change of routes. */
  note(): void {
    for (const [prefix, vps] of this.#holders()) for (const vp of vps) this.#everHeld.get(prefix)?.add(vp);
  }

  /** The VP went down, or left the list, at least once. */
  died(vpKey: string): void {
    this.#died.add(vpKey);
  }

  /** What one scrape says of trust contradicts itself. */
  contradictions(samples: Samples): string[] {
    const found: string[] = [];
    let all = true;
    for (const [name, sessions] of sessionsOf(samples)) {
      const trusted = sum(samples, 'bgp_prefix_trusted', `prefix="${name}"`) === 1;
      all &&= trusted;
      if (trusted && sessions.every((session) => samples.get(`bgp_stream_up{${session}}`) !== 1))
        found.push(`${name} is trusted although all its sessions are down`);
    }
    const seeded = sum(samples, 'bgp_table_seeded') === 1;
    if (seeded !== all) found.push(`bgp_table_seeded is ${Number(seeded)}, but all prefixes are trusted: ${all}`);
    return found;
  }

  /** What is wrong when everything is well again and complete. */
  faultsAtEnd(samples: Samples): string[] {
    const found = this.contradictions(samples);
    const now = this.#holders();
    const up = new Set(
      this.#simulator.vantagePoints().flatMap((vp) => (this.#simulator.statusOf(vp.key) === 'up' ? vp.key : [])),
    );
    for (const prefix of PREFIXES) {
      const of = (metric: string) => sum(samples, metric, `prefix="${prefix}"`);
      const holders = now.get(prefix) ?? new Set();
      const before = [...(this.#heldAtStart.get(prefix) ?? [])].filter((vp) => !this.#died.has(vp));
      const least = this.#coversRun ? new Set([...holders, ...before]).size : holders.size;
      const most = [...(this.#everHeld.get(prefix) ?? [])].filter((vp) => up.has(vp)).length;
      const expected = of('bgp_prefix_expected_vps');
      if (of('bgp_prefix_visible_vps') !== holders.size)
        found.push(`${prefix}: ${of('bgp_prefix_visible_vps')} visible, not ${holders.size}`);
      if (expected < least || expected > most) found.push(`${prefix}: ${expected} expected, not ${least} to ${most}`);
      if (of('bgp_prefix_trusted') !== 1) found.push(`${prefix} is not trusted`);
      if (of('bgp_prefix_expected_known') !== 1) found.push(`${prefix}: its denominator is not known`);
    }
    return found;
  }

  #holders(): Map<string, Set<string>> {
    const holders = new Map(PREFIXES.map((prefix) => [prefix as string, new Set<string>()]));
    for (const { prefix, vpKey } of this.#simulator.routes()) if (this.#isHeard(vpKey)) holders.get(prefix)?.add(vpKey);
    return holders;
  }
}

/** Each monitored prefix with the sessions that carry it, as labels. */
function sessionsOf(samples: Samples): Map<string, string[]> {
  const sessions = new Map<string, string[]>();
  for (const name of samples.keys()) {
    const match = /^bgp_prefix_session_info\{prefix="([^"]+)",(source="[^"]+",session="[^"]+")\}$/.exec(name);
    if (match === null) continue;
    const known = sessions.get(match[1]);
    if (known === undefined) sessions.set(match[1], [match[2]]);
    else known.push(match[2]);
  }
  return sessions;
}
