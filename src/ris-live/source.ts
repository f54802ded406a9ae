/** RIPE RIS Live as a source: no key, and a session for each ten thousand prefixes. */
import { DEFAULTS } from '../defaults.ts';
import { checkServiceUrl } from '../http/service-url.ts';
import type { Logger } from '../logger.ts';
import type { SourceListener, StreamSource, StreamStats } from '../stream/source.ts';
import { systemTimers, type Timers } from '../stream/timers.ts';
import type { SessionSettings } from '../stream/websocket-session.ts';
import { RisSession } from './session.ts';

export interface RisLiveSourceOptions {
  /** Default `wss://ris-live.ripe.net/v1/ws/`. */
  readonly url?: string;
  /** Who asks; the service wants to know. At most 64 letters, digits, `-`, `_` and `.`. */
  readonly client: string;
  /** By session: prefixes in canonical text; none: the session is idle. */
  readonly sessions: readonly (readonly string[])[];
  /** No frame of any kind for so long is a gap, ms; at least 1 s. Default 60 s. */
  readonly staleAfterMs?: number;
  readonly connection?: Partial<SessionSettings>;
  /** False: every session ends with its first connection or failed attempt. Default true. */
  readonly reconnect?: boolean;
  /** What requests call themselves, `name/version`. */
  readonly userAgent?: string;
  /** Default: the real clock. */
  readonly timers?: Timers;
  readonly log: Logger;
}

export class RisLiveSource implements StreamSource {
  readonly name = 'ris-live';
  readonly stats: readonly StreamStats[];
  readonly #sessions: readonly RisSession[];

  /** Throws a `TypeError` when the URL is not one, or `client` has other characters. */
  constructor(options: RisLiveSourceOptions) {
    const { risLive } = DEFAULTS;
    const { url = risLive.url, client, staleAfterMs = risLive.staleAfterMs, reconnect = true } = options;
    checkServiceUrl('url', url, ['wss:', 'ws:']);
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(client))
      throw new TypeError('client: expected 1 to 64 letters, digits, - _ and .');
    if (!(staleAfterMs >= 1_000)) throw new TypeError('staleAfterMs: expected at least 1000');
    const address = new URL(url);
    address.searchParams.set('client', client);
    const { timers = systemTimers, log, userAgent, connection } = options;
    this.#sessions = options.sessions.map(
      (prefixes, index) =>
        new RisSession(this.name, index, prefixes, {
          ...{ url: address, userAgent, staleAfterMs, connection, reconnect, timers, log },
        }),
    );
    this.stats = this.#sessions.map(({ stats }) => stats);
  }

  start(listener: SourceListener): void {
    for (const session of this.#sessions) session.start(listener);
  }

  /** The connection stays: it is asked only for the prefixes that changed. */
  setPrefixes(session: number, prefixes: readonly string[]): Promise<void> {
    return this.#at(session).setPrefixes(prefixes);
  }

  unhealthy(session: number): string | undefined {
    return this.#at(session).unhealthy();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.stop()));
  }

  #at(index: number): RisSession {
    const session = this.#sessions[index];
    if (session === undefined) throw new RangeError(`there is no session ${index}`);
    return session;
  }
}
