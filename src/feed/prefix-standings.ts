/** How far the table is with each prefix that a session delivers. */

/** A prefix that was never read has none. */
export type Standing =
  /** Complete, and every event is heard. */
  | { readonly kind: 'live' }
  /** Complete until then (Unix ms); what happened since is missing. */
  | { readonly kind: 'behind'; readonly untilMs: number };

const LIVE: Standing = { kind: 'live' };

/** What is said of a prefix that is not delivered, or not any more, is not taken: when it comes back it is read again. */
export class PrefixStandings {
  #delivered: ReadonlySet<string> = new Set();
  readonly #standings = new Map<string, Standing>();

  /** What the stream delivers from now on. */
  setDelivered(prefixes: ReadonlySet<string>): void {
    this.#delivered = prefixes;
    for (const prefix of this.#standings.keys()) if (!prefixes.has(prefix)) this.#standings.delete(prefix);
  }

  isRead(prefix: string): boolean {
    return this.#standings.has(prefix);
  }

  isLive(prefix: string): boolean {
    return this.#standings.get(prefix)?.kind === 'live';
  }

  /** Until when a prefix that is behind is complete, Unix ms; undefined when it is live or was never read. */
  behindUntilMs(prefix: string): number | undefined {
    const standing = this.#standings.get(prefix);
    return standing?.kind === 'behind' ? standing.untilMs : undefined;
  }

  setLive(prefixes: readonly string[]): void {
    for (const prefix of prefixes) if (this.#delivered.has(prefix)) this.#standings.set(prefix, LIVE);
  }

  setBehind(prefixes: Iterable<string>, untilMs: number): void {
    for (const prefix of prefixes)
      if (this.#delivered.has(prefix)) this.#standings.set(prefix, { kind: 'behind', untilMs });
  }

  /** What was live was complete until then, Unix ms. */
  interrupt(untilMs: number): void {
    this.setBehind(
      [...this.#standings.keys()].filter((prefix) => this.isLive(prefix)),
      untilMs,
    );
  }

  /** What the table has of the prefix is not complete up to any time. */
  forget(prefix: string): void {
    this.#standings.delete(prefix);
  }

  /** Forgets what was read. Gives whether anything was live. */
  clear(): boolean {
    const wasLive = [...this.#standings.keys()].some((prefix) => this.isLive(prefix));
    this.#standings.clear();
    return wasLive;
  }

  /** By prefix that was read: until when it is complete, Unix ms; what is live until `liveUntilMs`. */
  completeUntil(liveUntilMs: number): Record<string, number> {
    const until = (standing: Standing) => (standing.kind === 'live' ? liveUntilMs : standing.untilMs);
    return Object.fromEntries([...this.#standings].map(([prefix, standing]) => [prefix, until(standing)]));
  }
}
