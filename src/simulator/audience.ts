/** The sessions of the bgproutes stream that listen: what they are told first, and when there are enough for a recording. */
import type { TimeStamper } from './clock.ts';
import type { World } from './internet/world.ts';
import type { Replay } from './recording/replay.ts';
import type { Association } from './services/bgproutes/associations.ts';
import type { StreamServer } from './services/bgproutes/stream-server.ts';
import type { StreamSession } from './services/bgproutes/stream-session.ts';

/** A connection that was given prefixes after it was opened is taken for a lasting one when it is open this much later, real ms. */
export const STAY_MS = 1_000;
/** It is counted in so many parts: a process that had no turn all the while has not seen yet that the connection ended. */
const STAY_PARTS = 10;

export interface AudienceOptions {
  readonly stream: StreamServer;
  readonly world: World;
  readonly stamper: TimeStamper;
  /** Undefined: no recording is played. */
  readonly replay: () => Replay | undefined;
  /** The recording begins when so many sessions listen. */
  readonly sessionsBeforeReplay: number;
  /** Whether a session is told all routes of its new prefixes. */
  readonly announces: boolean;
}

export class Audience {
  readonly #options: AudienceOptions;
  /** Those that are there to stay, and have prefixes. */
  readonly #ready = new Set<StreamSession>();

  constructor(options: AudienceOptions) {
    this.#options = options;
  }

  /** The key has a new list of prefixes; `before` is the list that it replaces. */
  associated(key: string, before: Association | undefined): void {
    const { stream, replay } = this.#options;
    const [session] = stream.sessions(key);
    if (session === undefined || stream.associationOf(session) === undefined) return;
    // A client may connect only to see whether the key is free, and then once more: a recording is not for that connection.
    if (replay() !== undefined) this.#readyIfItStays(session);
    else this.ready(session, (prefix) => before?.matches(prefix) ?? false);
  }

  #readyIfItStays(session: StreamSession, parts = STAY_PARTS): void {
    setTimeout(() => {
      if (!session.isOpen) return;
      if (parts === 1) this.ready(session, () => false);
      else this.#readyIfItStays(session, parts - 1);
    }, STAY_MS / STAY_PARTS).unref();
  }

  /** The session is connected and has prefixes, some of which it may have had before. */
  ready(session: StreamSession, isOld: (prefix: number) => boolean): void {
    const { replay, sessionsBeforeReplay, announces } = this.#options;
    this.#ready.add(session);
    for (const one of this.#ready) if (!one.isOpen) this.#ready.delete(one);
    if (this.#ready.size >= sessionsBeforeReplay) replay()?.start();
    if (announces) void this.#tellAll(session, isOld);
  }

  /** What every VP holds now, one VP after the other, at the pace of the client. */
  async #tellAll(session: StreamSession, isOld: (prefix: number) => boolean): Promise<void> {
    const { stream, world, stamper } = this.#options;
    for (const vp of world.points.all) {
      if (!session.isOpen) return;
      if (session.isSaturated) await session.drained();
      const association = stream.associationOf(session);
      if (!vp.isLive || association === undefined) continue;
      for (const message of world.tableOf(vp, (prefix) => association.matches(prefix) && !isOld(prefix))) {
        session.offer(message, association, stamper.nextUs());
      }
    }
  }
}
