/** All that bgproutes.io gives, as a LiveFeed: a session a key, its decoder, and the Data API as its history. */
import type { Prefix } from '../bgp/prefix.ts';
import type { RouteIds } from '../bgp/route-integers.ts';
import type { FeedTools, LiveFeed, SessionPlan } from '../stream/live-feed.ts';
import { DataApiClient, type DataApiOptions } from './data-api/client.ts';
import { DataApiSeed } from './data-api/seed.ts';
import { planKeys } from './key-plan.ts';
import { BgproutesDecoder } from './live/decoder.ts';
import { BgproutesSource } from './live/source.ts';

export interface BgproutesFeedOptions extends FeedTools {
  readonly settings: {
    readonly websocketUrl: string;
    readonly liveManagerUrl: string;
    readonly dataApiUrl: string;
    /** Distinct. Secrets. */
    readonly apiKeys: readonly string[];
    readonly prefixesPerKey: number;
    readonly canaryPrefix: Prefix | undefined;
  };
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
    const { settings, prefixes, timers, logger, userAgent } = options;
    const { websocketUrl, liveManagerUrl, apiKeys } = settings;
    const { subscriptions } = this.plan(prefixes);
    const sessions = apiKeys.map((apiKey, i) => ({ apiKey, prefixes: subscriptions[i] }));
    this.source = new BgproutesSource({ websocketUrl, liveManagerUrl, sessions, userAgent, timers, log: logger });
    this.canary = settings.canaryPrefix?.text;
    this.#histories = apiKeys.map((apiKey) => seedOf(apiKey, options));
  }

  decoder(ids: RouteIds): BgproutesDecoder {
    return new BgproutesDecoder(ids);
  }

  history(session: number): DataApiSeed | undefined {
    return this.#histories[session];
  }

  plan(prefixes: readonly Prefix[], former?: SessionPlan): SessionPlan {
    const { apiKeys, prefixesPerKey, canaryPrefix } = this.#options.settings;
    return planKeys({ keys: apiKeys.length, prefixesPerKey, canary: canaryPrefix }, prefixes, former);
  }
}

/** What a question to the Data API needs. */
export type DataApiHistoryOptions = FeedTools &
  Pick<BgproutesFeedOptions, 'onRequest'> & {
    readonly settings: Pick<BgproutesFeedOptions['settings'], 'dataApiUrl' | 'apiKeys'>;
  };

/** The Data API as the history of another source, by the first key. */
export function dataApiHistory(options: DataApiHistoryOptions): DataApiSeed {
  const [apiKey] = options.settings.apiKeys;
  return seedOf(apiKey, options);
}

function seedOf(apiKey: string, options: DataApiHistoryOptions): DataApiSeed {
  const { settings, userAgent, timers, logger, knownMoreSpecifics, onRequest } = options;
  const client = new DataApiClient({
    ...{ baseUrl: settings.dataApiUrl, apiKey, userAgent, timers, log: logger, onRequest },
  });
  return new DataApiSeed({ client, knownMoreSpecifics, log: logger });
}
