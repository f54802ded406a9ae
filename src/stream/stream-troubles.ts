/** Why sessions are down, in words for people: the last word about each, kept until the session is up again. */
import type { DisconnectReason } from './source.ts';

export interface Trouble {
  /** Since when nothing is heard, Unix ms: the time of the first in a row of failed attempts. */
  readonly sinceMs: number;
  /** Our words for the reason, and the service's or the network's; one line, bounded, without keys. */
  readonly text: string;
}

const WORDS: Readonly<Record<DisconnectReason, string>> = {
  connect_failed: 'no connection could be made',
  closed: 'the connection was closed',
  timeout: 'the service does not answer',
  refused: 'the service refuses the stream',
  frame_too_large: 'a frame was too large',
  protocol_error: 'what the service sends is not WebSocket',
  association_failed: 'the prefixes could not be associated with the key',
  stopped: 'stopped',
};

export class StreamTroubles {
  readonly #bySession = new Map<number, Trouble>();

  /** `detail` as a source gives it: redacted, one line, maybe empty. */
  down(session: number, reason: DisconnectReason, atMs: number, detail: string): void {
    const sinceMs = this.#bySession.get(session)?.sinceMs ?? atMs;
    this.#bySession.set(session, { sinceMs, text: detail === '' ? WORDS[reason] : `${WORDS[reason]}: ${detail}` });
  }

  up(session: number): void {
    this.#bySession.delete(session);
  }

  /** Undefined while the session is up, and before its first attempt has failed. */
  of(session: number): Trouble | undefined {
    return this.#bySession.get(session);
  }
}
