/** All that Kafka topics give, as a LiveFeed: one session that hears everything, with the history of another source, if one is given. */
import type { Prefix } from '../bgp/prefix.ts';
import type { RouteIds } from '../bgp/route-integers.ts';
import type { FrameDecoder } from '../stream/frame-decoder.ts';
import type { History } from '../stream/history.ts';
import type { FeedTools, LiveFeed, SessionPlan } from '../stream/live-feed.ts';
import { BmpDecoder } from './bmp/decoder.ts';
import { PrefixFilter } from './bmp/prefix-filter.ts';
import { type BrokerClient, brokerClient, type KafkaConnection, loadKafkaLibrary } from './broker-client.ts';
import { whyClosed } from './broker-error.ts';
import { KafkaSource, type RecordFormat } from './source.ts';

export interface KafkaSettings extends KafkaConnection {
  /** Names, or regular expressions that begin with `^`. At least one. */
  readonly topics: readonly string[];
  readonly format: RecordFormat;
}

export interface KafkaFeedOptions extends FeedTools {
  readonly settings: KafkaSettings;
  /** The prefixes that are monitored at first. */
  readonly prefixes: readonly Prefix[];
  /** What tells the past of its prefixes. Kafka keeps no table. */
  readonly history: History | undefined;
  /** Reads the messages of the format `bgproutes-json`. */
  readonly jsonDecoder: (ids: RouteIds) => FrameDecoder;
}

export class KafkaFeed implements LiveFeed {
  readonly source: KafkaSource;
  readonly #options: KafkaFeedOptions;
  readonly #filter = new PrefixFilter();
  #connect: (() => BrokerClient) | undefined;

  constructor(options: KafkaFeedOptions) {
    this.#options = options;
    const { settings, prefixes, timers, logger } = options;
    this.source = new KafkaSource({
      connect: () => {
        if (this.#connect === undefined) throw new Error('a KafkaFeed is prepared before it starts');
        return this.#connect();
      },
      ...{ topics: settings.topics, format: settings.format, filter: this.#filter, timers, log: logger },
      prefixes: prefixes.map(({ text }) => text),
      secrets: settings.sasl === undefined ? [] : [settings.sasl.password],
      whyClosed: whyClosed(settings, 'kafka'),
    });
  }

  /** Loads the library. @throws ConfigError when it is not installed */
  async prepare(): Promise<void> {
    const { settings, userAgent } = this.#options;
    const library = await loadKafkaLibrary();
    // Not every broker takes a slash in a client's name.
    const clientId = userAgent.replaceAll(/[^A-Za-z0-9._-]/g, '-');
    this.#connect = () => brokerClient(library, settings, clientId);
  }

  decoder(ids: RouteIds): FrameDecoder {
    const { settings, jsonDecoder } = this.#options;
    return settings.format === 'bgproutes-json' ? jsonDecoder(ids) : new BmpDecoder({ filter: this.#filter });
  }

  history(): History | undefined {
    return this.#options.history;
  }

  plan(prefixes: readonly Prefix[]): SessionPlan {
    const all = prefixes.map(({ text }) => text);
    return { prefixes: [all], subscriptions: [all] };
  }
}
