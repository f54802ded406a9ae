/** All that RIS gives, as a LiveFeed: one session that carries every prefix, and RIPEstat as its history. No key. */
import type { Prefix } from '../bgp/prefix.ts';
import type { FeedTools, LiveFeed, SessionPlan } from '../stream/live-feed.ts';
import { RisDecoder } from './decoder.ts';
import { RipestatClient, type RipestatClientOptions } from './ripestat/client.ts';
import { RipestatHistory } from './ripestat/history.ts';
import { RisLiveSource } from './source.ts';

export interface RisLiveSettings {
  /** Where the stream is. */
  readonly url: string;
  /** Who asks, at both services: letters, digits, `-` and `_`. */
  readonly client: string;
  readonly ripestatUrl: string;
  /** Only peers with a full table count. */
  readonly fullFeedOnly: boolean;
  /** No frame of any kind for so long is a gap, ms. */
  readonly staleAfterMs: number;
}

export interface RisLiveFeedOptions extends FeedTools {
  readonly settings: RisLiveSettings;
  /** What the session subscribes to at first. */
  readonly prefixes: readonly Prefix[];
  readonly onRequest?: RipestatClientOptions['onRequest'];
}

export class RisLiveFeed implements LiveFeed {
  readonly source: RisLiveSource;
  readonly #history: RipestatHistory;
  readonly #decoder: RisDecoder;

  constructor(options: RisLiveFeedOptions) {
    const { settings, prefixes, timers, logger, userAgent, knownMoreSpecifics, onRequest } = options;
    const { url, client, ripestatUrl, fullFeedOnly, staleAfterMs } = settings;
    const { subscriptions } = this.plan(prefixes);
    // The service's own address ends with a slash.
    const address = url.endsWith('/') ? url : `${url}/`;
    this.source = new RisLiveSource({
      ...{ url: address, client, sessions: subscriptions, staleAfterMs, userAgent, timers, log: logger },
    });
    const ripestat = new RipestatClient({
      ...{ baseUrl: ripestatUrl, sourceApp: client, userAgent, timers, log: logger, onRequest },
    });
    const history = new RipestatHistory({ client: ripestat, knownMoreSpecifics, fullFeedOnly, timers, log: logger });
    this.#history = history;
    this.#decoder = new RisDecoder(fullFeedOnly ? (vp) => history.isListed(vp) : undefined);
  }

  decoder(): RisDecoder {
    return this.#decoder;
  }

  history(): RipestatHistory {
    return this.#history;
  }

  plan(prefixes: readonly Prefix[]): SessionPlan {
    const all = prefixes.map(({ text }) => text);
    return { prefixes: [all], subscriptions: [all] };
  }
}
