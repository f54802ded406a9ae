/**
 * The bgproutes.io live stream as a source: one session a key, each with its own connection, association and fate.
 */
import { streamUrlOf } from '../../http/service-url.ts';
import type { SourceListener, StreamSource, SubscribedStats } from '../../stream/source.ts';
import { KeySession } from './key-session.ts';
import type { BgproutesSourceOptions } from './source-options.ts';

export class BgproutesSource implements StreamSource {
  readonly name = 'bgproutes';
  readonly stats: readonly SubscribedStats[];
  readonly #sessions: readonly KeySession[];

  /** Throws a `TypeError` when a URL is not valid. */
  constructor(options: BgproutesSourceOptions) {
    streamUrlOf(options.websocketUrl, '');
    this.#sessions = options.sessions.map((session, index) => new KeySession(this.name, index, session, options));
    this.stats = this.#sessions.map((session) => session.stats);
  }

  start(listener: SourceListener): void {
    for (const session of this.#sessions) session.start(listener);
  }

  setPrefixes(session: number, prefixes: readonly string[]): Promise<void> {
    return this.#at(session).setPrefixes(prefixes);
  }

  /** When the session's last renewal failed and less than half of the association's time is left. */
  unhealthy(session: number): string | undefined {
    return this.#at(session).unhealthy();
  }

  /**
   * A message of the session came about these prefixes. It may show that another client has replaced the list of the key:
   * then the session is down until its prefixes are associated again. Nothing need be told of a message in which something
   * is monitored.
   * @param prefixes all prefixes of the message, canonical
   */
  heard(session: number, prefixes: readonly string[], receivedAtMs: number): void {
    this.#at(session).heard(prefixes, receivedAtMs);
  }

  /** The session's `apiKey` is another one now: it connects with that. */
  keyReplaced(session: number): void {
    this.#at(session).keyReplaced();
  }

  /** Backpressure: stops reading, across reconnects, until `resume`. Up to 64 KiB that were read already still come. */
  pause(session: number): void {
    this.#at(session).pause();
  }

  resume(session: number): void {
    this.#at(session).resume();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.stop()));
  }

  #at(index: number): KeySession {
    const session = this.#sessions[index];
    if (session === undefined) throw new RangeError(`there is no session ${index}`);
    return session;
  }
}
