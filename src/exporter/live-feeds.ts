/** The sources of routes: which there are, and how each is made of the configuration. */
import type { Prefix } from '../bgp/prefix.ts';
import { BgproutesFeed, dataApiHistory } from '../bgproutes/feed.ts';
import type { KeyRing } from '../bgproutes/key-ring.ts';
import { BgproutesDecoder } from '../bgproutes/live/decoder.ts';
import type { Config } from '../config/config.ts';
import type { SourceName } from '../config/source-names.ts';
import { KafkaFeed } from '../kafka/feed.ts';
import { RisLiveFeed } from '../ris-live/feed.ts';
import type { DataApiEndpoint, DataApiResult, RipestatCall } from '../stream/history.ts';
import type { FeedTools, LiveFeed } from '../stream/live-feed.ts';

/** What a maker of a LiveFeed is given. */
export interface FeedInput {
  readonly config: Config;
  /** The keys of the configuration; a rotation replaces them. */
  readonly keys: KeyRing;
  readonly prefixes: readonly Prefix[];
  readonly tools: FeedTools;
  /** A request to a history came to an end. */
  readonly onRequest: (endpoint: DataApiEndpoint | RipestatCall, result: DataApiResult) => void;
}

/** The services that stream BGP, by their names. */
const SOURCES = {
  kafka: ({ config, keys, prefixes, tools, onRequest }) =>
    new KafkaFeed({
      ...tools,
      ...{ settings: config.kafka, prefixes, jsonDecoder: (ids) => new BgproutesDecoder(ids) },
      history:
        config.kafka.history === 'none'
          ? undefined
          : dataApiHistory({ ...tools, settings: config.bgproutes, keys, onRequest }),
    }),
  'ris-live': ({ config, prefixes, tools, onRequest }) =>
    new RisLiveFeed({ ...tools, settings: config.risLive, prefixes, onRequest }),
  bgproutes: ({ config, keys, prefixes, tools, onRequest }) =>
    new BgproutesFeed({ ...tools, settings: config.bgproutes, keys, prefixes, onRequest }),
} as const satisfies Record<SourceName, (input: FeedInput) => LiveFeed>;

/** The feeds that the configuration asks for, in the order of precedence. */
export function liveFeedsOf(input: FeedInput): readonly LiveFeed[] {
  return input.config.sources.map((name) => SOURCES[name](input));
}

/**
 * Whether both configurations make the same sources, so that those which run can go on. Keys may differ, as many as there
 * are: each takes the place of one before. What concerns a source that is not configured makes no difference.
 */
export function makeSameFeeds(one: Config, other: Config): boolean {
  return JSON.stringify(madeOf(one)) === JSON.stringify(madeOf(other));
}

function madeOf({ sources, bgproutes, risLive, kafka, table: { seed, dataApiLagMs } }: Config): object {
  const asksBgproutes = sources.includes('bgproutes') || kafka.history !== 'none';
  return {
    ...{ sources, seed, dataApiLagMs },
    bgproutes: asksBgproutes ? { ...bgproutes, apiKeys: bgproutes.apiKeys.length } : undefined,
    risLive: sources.includes('ris-live') ? risLive : undefined,
    kafka: sources.includes('kafka') ? kafka : undefined,
  };
}
