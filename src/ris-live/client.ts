/** RIS Live for programs: the messages about some prefixes, without a key. The messages have the type of `BgproutesLiveClient`. */
import { type LiveMessage, messagesOf } from '../bgp/live-message.ts';
import { parsePrefix } from '../bgp/prefix.ts';
import type { Logger } from '../logger.ts';
import type { DisconnectReason } from '../stream/source.ts';
import { RisDecoder } from './decoder.ts';
import { RisLiveSource } from './source.ts';

/** Options of a `RisLiveClient`. */
export interface RisLiveClientOptions {
  /** Who asks: 1 to 64 letters, digits, `-`, `_` and `.`. */
  readonly client: string;
  /** Default `wss://ris-live.ripe.net/v1/ws/`. */
  readonly url?: string | undefined;
  /** No frame of any kind for so long is a gap, ms. Default 60 s. */
  readonly staleAfterMs?: number | undefined;
  /** Most messages that wait to be read; further ones are dropped and counted. Default 10,000. */
  readonly maxWaiting?: number | undefined;
  /** Default: nothing is logged. */
  readonly log?: Logger | undefined;
}

/** What a client tells of its connection. */
export type RisLiveEvent =
  /** Connected and subscribed: messages follow. */
  | { readonly type: 'connected' }
  /** The client connects again by itself. `detail` is one line, maybe empty. */
  | { readonly type: 'disconnected'; readonly reason: DisconnectReason; readonly detail: string }
  /** A frame, or a part of one, could not be read. */
  | { readonly type: 'unreadable'; readonly reason: string };

/** What `messages` takes. */
export interface RisLiveMessagesOptions {
  /** At least one, such as `193.0.0.0/21`; their more-specifics come too. */
  readonly prefixes: readonly string[];
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined;
  /** Called at once, between messages. */
  readonly onEvent?: ((event: RisLiveEvent) => void) | undefined;
}

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT };

/** Streams the announcements and withdrawals that the peers of RIPE RIS send. Connects again for ever. */
export class RisLiveClient {
  readonly #options: RisLiveClientOptions;
  #dropped = 0;

  /** Throws a `TypeError` when the URL is not one, or `client` has other characters. */
  constructor(options: RisLiveClientOptions) {
    this.#options = options;
    this.#source([]);
  }

  /** Messages that were dropped because they were not read in time. */
  get droppedMessages(): number {
    return this.#dropped;
  }

  /** Throws a `TypeError` when there is no prefix, or a text is not a prefix. Each iteration has a connection of its own. */
  async *messages({ prefixes, signal, onEvent }: RisLiveMessagesOptions): AsyncGenerator<LiveMessage, void, undefined> {
    const canonical = prefixes.map((text) => {
      const prefix = parsePrefix(text);
      if (prefix === undefined) throw new TypeError(`prefixes: expected a prefix such as 192.0.2.0/24, got ${text}`);
      return prefix.text;
    });
    if (canonical.length === 0) throw new TypeError('prefixes: expected at least one');
    const { maxWaiting = 10_000 } = this.#options;
    const waiting: LiveMessage[] = [];
    let wake = (): void => {};
    const decoder = new RisDecoder();
    const source = this.#source(canonical);
    const onAbort = (): void => wake();
    signal?.addEventListener('abort', onAbort);
    source.start({
      frames: (_, frames) => {
        decoder.decode(frames, {
          update: (update) => {
            for (const message of messagesOf(update)) {
              if (waiting.length < maxWaiting) waiting.push(message);
              else this.#dropped++;
            }
          },
          failed: (reason) => onEvent?.({ type: 'unreadable', reason }),
          integers: () => {},
          peerState: () => {},
          unused: () => {},
          passed: () => {},
          general: () => {},
          remark: () => {},
        });
        wake();
      },
      connected: () => onEvent?.({ type: 'connected' }),
      disconnected: (_, reason, __, detail) => onEvent?.({ type: 'disconnected', reason, detail }),
    });
    const isOver = (): boolean => signal?.aborted === true;
    try {
      while (!isOver()) {
        const batch = waiting.splice(0);
        for (const message of batch) {
          if (isOver()) return;
          yield message;
        }
        if (waiting.length > 0 || isOver()) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      await source.stop();
    }
  }

  #source(prefixes: readonly string[]): RisLiveSource {
    const { client, url, staleAfterMs, log = SILENT } = this.#options;
    return new RisLiveSource({
      ...{ client, log, sessions: [prefixes] },
      ...(url === undefined ? {} : { url }),
      ...(staleAfterMs === undefined ? {} : { staleAfterMs }),
    });
  }
}
