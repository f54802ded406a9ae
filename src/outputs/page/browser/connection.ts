/** The stream of events, and what the page says of it: alive, or frozen and since when. */
import type { PrefixDetail, PrefixesEvent, Status } from '../api-schemas.ts';
import { utcTime } from './clock.ts';

export interface Handlers {
  readonly status?: (status: Status) => void;
  readonly prefixes?: (news: PrefixesEvent) => void;
  readonly prefix?: (detail: PrefixDetail) => void;
}

/** The state is told every five seconds at least. */
const SILENCE_MS = 12_000;

export class Connection {
  readonly #root: string;
  #source: EventSource | undefined;
  #heardAtMs = Date.now();

  /** @param root leads to the root of the exporter */
  constructor(root: string) {
    this.#root = root;
    setInterval(() => this.#watch(), 1_000);
  }

  /** Listens to other events from now on. */
  listen(query: string, handlers: Handlers): void {
    this.#source?.close();
    const source = new EventSource(`${this.#root}api/v1/events${query}`);
    this.#source = source;
    for (const [kind, handle] of Object.entries(handlers))
      source.addEventListener(kind, (event) => {
        this.#heard();
        (handle as (data: unknown) => void)(JSON.parse((event as MessageEvent<string>).data));
      });
    source.addEventListener('error', () => {
      this.#show(true);
      // A browser gives up where the answer was not a stream of events: as while the exporter starts.
      if (source.readyState === EventSource.CLOSED && this.#source === source)
        setTimeout(() => this.#source === source && this.listen(query, handlers), 3_000);
    });
  }

  #heard(): void {
    this.#heardAtMs = Date.now();
    this.#show(false);
  }

  #watch(): void {
    if (Date.now() - this.#heardAtMs > SILENCE_MS) this.#show(true);
  }

  #show(isFrozen: boolean): void {
    const live = document.getElementById('live');
    if (live === null) return;
    const text = isFrozen ? `frozen since ${utcTime(new Date(this.#heardAtMs))} UTC: no connection` : 'live';
    live.className = `live${isFrozen ? ' frozen' : ''}`;
    if (live.textContent !== text) live.textContent = text;
  }
}
