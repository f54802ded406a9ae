/** All that bgproutes.io gives, as a LiveFeed: a session a key, its decoder, and the Data API as its history. */
import type { Prefix } from '../bgp/prefix.ts';
import type { RouteIds } from '../bgp/route-integers.ts';
import type { FeedTools, LiveFeed, SessionPlan } from '../stream/live-feed.ts';
import { DataApiClient, type DataApiOptions } from './data-api/client.ts';
import { DataApiSeed } from './data-api/seed/seed.ts';
import { planKeys } from './key-plan.ts';
import type { KeyRing } from './key-ring.ts';
import { BgproutesDecoder } from './live/decoder.ts';
import { BgproutesSource } from './live/source.ts';

export interface BgproutesFeedOptions extends FeedTools {
  readonly settings: {
    readonly websocketUrl: string;
    readonly liveManagerUrl: string;
    readonly dataApiUrl: string;
    readonly prefixesPerKey: number;
    readonly canaryPrefix: Prefix | undefined;
  };
  /** Each is a session. */
  readonly keys: KeyRing;
  /** What the sessions subscribe to at first, in the order of the configuration. */
  readonly prefixes: readonly Prefix[];
  /** Called after every request to the Data API, retries included. */
  readonly onRequest: DataApiOptions['onRequest'];
}

export class BgproutesFeed implements LiveFeed {
  readonly source: BgproutesSource;
  readonly canary: string | undefined;
  readonly #options: BgproutesFeedOptions;
  readonly #histories: readonly DataApiSeed[];

  constructor(options: BgproutesFeedOptions) {
    this.#options = options;
    const { settings, keys, prefixes, timers, logger, userAgent } = options;
    const { websocketUrl, liveManagerUrl } = settings;
    const { subscriptions } = this.plan(prefixes);
    const sessions = subscriptions.map((subscribed, place) => ({
      get apiKey() {
        return keys.at(place);
      },
      prefixes: subscribed,
      onKeyRefused: () => {
        keys.refused(place);
      },
    }));
    this.source = new BgproutesSource({ websocketUrl, liveManagerUrl, sessions, userAgent, timers, log: logger });
    this.canary = settings.canaryPrefix?.text;
    for (const place of sessions.keys()) keys.onReplaced(place, () => this.source.keyReplaced(place));
    this.#histories = sessions.map((_, place) => seedOf(place, options));
  }

  decoder(ids: RouteIds): BgproutesDecoder {
    return new BgproutesDecoder(ids);
  }

  history(session: number): DataApiSeed | undefined {
    return this.#histories[session];
  }

  plan(prefixes: readonly Prefix[], former?: SessionPlan): SessionPlan {
    const { prefixesPerKey, canaryPrefix } = this.#options.settings;
    return planKeys({ keys: this.#options.keys.size, prefixesPerKey, canary: canaryPrefix }, prefixes, former);
  }
}

/** What a question to the Data API needs. */
export type DataApiHistoryOptions = FeedTools &
  Pick<BgproutesFeedOptions, 'keys' | 'onRequest'> & {
    readonly settings: Pick<BgproutesFeedOptions['settings'], 'dataApiUrl'>;
  };

/** The Data API as the history of another source, by the first key. */
export function dataApiHistory(options: DataApiHistoryOptions): DataApiSeed {
  return seedOf(0, options);
}

function seedOf(place: number, options: DataApiHistoryOptions): DataApiSeed {
  const { settings, keys, userAgent, timers, logger, knownMoreSpecifics, onRequest } = options;
  const client = new DataApiClient({
    ...{ baseUrl: settings.dataApiUrl, userAgent, timers, log: logger },
    get apiKey() {
      return keys.at(place);
    },
    onRequest: (endpoint, result) => {
      if (result === 'forbidden') keys.refused(place);
      onRequest?.(endpoint, result);
    },
  });
  return new DataApiSeed({ client, knownMoreSpecifics, log: logger });
}
