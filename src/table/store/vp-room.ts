/** Which VP makes room for a new one when the bound is reached: the one heard least recently among those without use. */
import type { VpRegistry } from './vp-registry.ts';

/** How many candidates one look at all VPs finds. They serve later requests, so that each of many new VPs costs little. */
const FOUND_AT_ONCE = 256;
/** After a look that found nobody, this many requests are refused without another look. */
const REFUSED_AFTER_NONE = 256;

export class VpRoom {
  readonly #vps: VpRegistry;
  /** Most recently heard first; with the receipt by which each was chosen, Unix ms. */
  #found: { readonly vp: number; readonly heardMs: number }[] = [];
  #refused = 0;

  constructor(vps: VpRegistry) {
    this.#vps = vps;
  }

  /**
   * The number of a VP to forget, or -1. It holds no route and is not expected to, is not known to be down (or it would be
   * asked for routes again) and has no full feed.
   */
  next(): number {
    return this.#nextFound() ?? (this.#look() ? (this.#nextFound() ?? -1) : -1);
  }

  #nextFound(): number | undefined {
    for (let one = this.#found.pop(); one !== undefined; one = this.#found.pop()) {
      if (this.#isUseless(one.vp) && this.#vps.lastHeardMs[one.vp] === one.heardMs) return one.vp;
    }
    return undefined;
  }

  #look(): boolean {
    if (this.#refused > 0) {
      this.#refused--;
      return false;
    }
    const { lastHeardMs, end } = this.#vps;
    const found: { vp: number; heardMs: number }[] = [];
    for (let vp = 0; vp < end; vp++) if (this.#isUseless(vp)) found.push({ vp, heardMs: lastHeardMs[vp] });
    found.sort((a, b) => a.heardMs - b.heardMs);
    this.#found = found.slice(0, FOUND_AT_ONCE).reverse();
    if (found.length === 0) this.#refused = REFUSED_AFTER_NONE;
    return found.length > 0;
  }

  #isUseless(vp: number): boolean {
    const { cells, down, fullFeed } = this.#vps;
    return this.#vps.get(vp) !== undefined && cells[vp] === 0 && down[vp] === 0 && fullFeed[vp] === 0;
  }
}
