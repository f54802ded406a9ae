/** All sources as one. Their sessions are numbered in one row: those of the first source, then those of the next. */
import type { LiveFeed } from '../stream/live-feed.ts';
import type { SourceListener, StreamSource, StreamStats } from '../stream/source.ts';

/** One session of one source. */
interface Place {
  readonly source: StreamSource;
  /** Its number in the source. */
  readonly local: number;
}

export class AllSources implements StreamSource {
  readonly name = 'all';
  readonly stats: readonly StreamStats[];
  readonly #sources: readonly { readonly source: StreamSource; readonly firstSession: number }[];
  readonly #places: readonly Place[];

  constructor(feeds: readonly LiveFeed[]) {
    let firstSession = 0;
    this.#sources = feeds.map(({ source }) => {
      const one = { source, firstSession };
      firstSession += source.stats.length;
      return one;
    });
    this.#places = feeds.flatMap(({ source }) => source.stats.map((_, local) => ({ source, local })));
    this.stats = feeds.flatMap(({ source }) => source.stats);
  }

  start(listener: SourceListener): void {
    for (const { source, firstSession } of this.#sources) {
      source.start({
        frames: (session, frames, receivedAtMs) => listener.frames(firstSession + session, frames, receivedAtMs),
        opened: (session, atMs) => listener.opened?.(firstSession + session, atMs),
        connected: (session, atMs) => listener.connected(firstSession + session, atMs),
        disconnected: (session, reason, atMs, detail, refused) =>
          listener.disconnected(firstSession + session, reason, atMs, detail, refused),
        updates: (session) => listener.updates?.(firstSession + session) ?? this.stats[firstSession + session].frames,
      });
    }
  }

  setPrefixes(session: number, prefixes: readonly string[]): Promise<void> {
    const { source, local } = this.#places[session];
    return source.setPrefixes(local, prefixes);
  }

  unhealthy(session: number): string | undefined {
    const { source, local } = this.#places[session];
    return source.unhealthy?.(local);
  }

  heard(session: number, prefixes: readonly string[], receivedAtMs: number): void {
    const { source, local } = this.#places[session];
    source.heard?.(local, prefixes, receivedAtMs);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sources.map(({ source }) => source.stop()));
  }
}
