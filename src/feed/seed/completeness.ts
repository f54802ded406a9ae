/** Until when the table is complete for each prefix of a session. */

/** By prefix. A prefix that was never read is not there. */
export type Standing =
  /** Complete, and every event is heard. */
  | { readonly kind: 'live' }
  /** Complete until then (Unix ms); what happened since is missing. */
  | { readonly kind: 'behind'; readonly untilMs: number };

const LIVE: Standing = { kind: 'live' };

/** Nothing is noted about a prefix that the stream does not deliver: when it comes back it is read again. */
export class Completeness {
  /** The monitored prefixes of the session; until the stream delivers all of them the table is not complete. */
  wanted: readonly string[] = [];
  #delivered: readonly string[] = [];
  #isDelivered: ReadonlySet<string> = new Set();
  readonly #standings = new Map<string, Standing>();
  /** Prefixes that the fill under way has read far enough for the stream to go on. */
  readonly #current = new Set<string>();
  /** Prefixes of which routes were given up since the fill under way began to read: it must read them once more. */
  readonly #lost = new Set<string>();

  /** What the stream delivers: only for these prefixes can a gap be filled. */
  get delivered(): readonly string[] {
    return this.#delivered;
  }

  set delivered(prefixes: readonly string[]) {
    this.#delivered = prefixes;
    this.#isDelivered = new Set(prefixes);
    for (const prefix of this.#standings.keys()) if (!this.#isDelivered.has(prefix)) this.#standings.delete(prefix);
  }

  isRead(prefix: string): boolean {
    return this.#standings.has(prefix);
  }

  isLive(prefix: string): boolean {
    return this.#standings.get(prefix)?.kind === 'live';
  }

  /** Whether the stream's words about the prefix are applied as they come, on top of what the history told. */
  isCurrent(prefix: string): boolean {
    return this.isLive(prefix) || this.#current.has(prefix);
  }

  /** The prefixes that the stream delivers and whose table is not complete. */
  get missing(): string[] {
    return this.#delivered.filter((prefix) => !this.isLive(prefix));
  }

  /** Until when a prefix that is behind is complete, Unix ms; undefined when it is live or was never read. */
  behindUntilMs(prefix: string): number | undefined {
    const standing = this.#standings.get(prefix);
    return standing?.kind === 'behind' ? standing.untilMs : undefined;
  }

  setCurrent(prefixes: readonly string[]): void {
    for (const prefix of prefixes) if (!this.#lost.has(prefix)) this.#current.add(prefix);
  }

  /** A fill begins to read: from now on it notes which prefixes lose routes meanwhile. */
  beginReading(): void {
    this.#lost.clear();
  }

  /** Forgets what was read of the prefixes of which routes were given up meanwhile. Gives whether there are any. */
  forgetLost(): boolean {
    for (const prefix of this.#lost) this.#standings.delete(prefix);
    return this.#lost.size > 0;
  }

  setLive(prefixes: readonly string[]): void {
    for (const prefix of prefixes)
      if (this.#isDelivered.has(prefix) && !this.#lost.has(prefix)) this.#standings.set(prefix, LIVE);
  }

  setBehind(prefixes: Iterable<string>, untilMs: number): void {
    for (const prefix of prefixes)
      if (this.#isDelivered.has(prefix)) this.#standings.set(prefix, { kind: 'behind', untilMs });
  }

  /** The stream is lost: what was live was complete until then, Unix ms. */
  interrupt(untilMs: number): void {
    this.#current.clear();
    this.setBehind(
      [...this.#standings.keys()].filter((prefix) => this.isLive(prefix)),
      untilMs,
    );
  }

  /** Routes of the prefix were given up: what the table has of it is not complete up to any time. */
  lose(prefix: string): void {
    this.#standings.delete(prefix);
    this.#current.delete(prefix);
    this.#lost.add(prefix);
  }

  /** Forgets what was read. Gives whether anything was live. */
  clear(): boolean {
    const wasLive = [...this.#standings.keys()].some((prefix) => this.isLive(prefix));
    this.#standings.clear();
    this.#current.clear();
    return wasLive;
  }

  /** By prefix that was read: until when it is complete, Unix ms; what is live until `liveUntilMs`. */
  completeUntil(liveUntilMs: number): Record<string, number> {
    const until = (standing: Standing) => (standing.kind === 'live' ? liveUntilMs : standing.untilMs);
    return Object.fromEntries([...this.#standings].map(([prefix, standing]) => [prefix, until(standing)]));
  }
}
