/**
 * What follows the connection that only asks whether the service accepts us: the prefixes are associated unless another
 * session uses the key, because they would be taken from that one.
 */
import type { Logger } from '../../../logger.ts';
import type { Timers } from '../../../stream/timers.ts';
import type { Trial, TrialVerdict } from '../../../stream/websocket-session.ts';
import type { Association } from './association.ts';
import { associateIfFree, type ClaimResult } from './claim.ts';
import { isUnknownKey } from './live-manager.ts';

/** An unknown key stays unknown until the operator acts. */
const UNKNOWN_KEY =
  'the service does not accept the API key: compare it with the one in your account at bgproutes.io, and put the right one in its place';

export interface KeyTrialOptions {
  readonly association: Association;
  readonly timers: Timers;
  readonly log: Logger;
  /** The service has accepted it: a session of ours is open. Called again when that may be over. */
  readonly onOpen: () => void;
}

export class KeyTrial implements Trial {
  readonly #options: KeyTrialOptions;

  constructor(options: KeyTrialOptions) {
    this.#options = options;
  }

  async accepted(): Promise<TrialVerdict> {
    const { association, log, onOpen } = this.#options;
    onOpen();
    const verdict = this.#verdictOf(await associateIfFree({ kind: 'accepted' }, () => association.associate()));
    onOpen();
    if (verdict === 'connect_again') {
      log.info('the key had no other session; its prefixes are associated, now the stream is connected with them');
    }
    return verdict;
  }

  async refused(detail: string): Promise<TrialVerdict> {
    const { association, log } = this.#options;
    const answer = { kind: 'refused', text: detail } as const;
    const verdict = this.#verdictOf(await associateIfFree(answer, () => association.associate()));
    if (verdict === 'connect_again') {
      log.info('the stream was refused before the prefixes were associated; now it is connected', { detail });
    }
    return verdict;
  }

  /** When nobody answers, what was associated before will do while it lasts. */
  #verdictOf(result: ClaimResult): TrialVerdict {
    const { association, timers, log } = this.#options;
    if (result.kind === 'success') return 'connect_again';
    const { kind, text: detail } = result;
    if (kind === 'in_use') log.warn('another session uses the key: nothing was associated with it');
    if (kind === 'in_use' || kind === 'unknown') return 'keep';
    if (kind === 'error' && association.isValid(timers.now())) {
      log.warn('prefixes could not be associated with the key; those that it has are kept', { detail });
      return 'keep';
    }
    const hint = kind === 'refused' && isUnknownKey(result.status) ? UNKNOWN_KEY : undefined;
    return { reason: 'association_failed', detail, refused: kind === 'refused', hint };
  }
}
