/**
 * The router's side of a conversation with a cache (RFC 8210 sections 5 to 8), without sockets and clocks. It outlives
 * connections: session, serial and version are kept from one to the next, and the data until another one is whole.
 */
import { RpkiData } from '../rpki-data.ts';
import type { RpkiScope } from '../scope.ts';
import type { RpkiResult } from '../source-state.ts';
import {
  clampTimers,
  DEFAULT_TIMERS,
  errorReport,
  HIGHEST_VERSION,
  type Pdu,
  PduReader,
  RTR_ERRORS,
  type RtrTimers,
  type RtrVersion,
  resetQuery,
  serialQuery,
  type VersionedPdu,
} from './pdu.ts';
import { Transaction, type TransactionFault, type TransactionResult } from './transaction.ts';

/** Why a connection cannot be used any more. */
export interface Ending {
  readonly result: Exclude<RpkiResult, 'success' | 'unchanged' | 'cache_reset'>;
  readonly reason: string;
  /** Another connection may be tried at once. */
  readonly again: boolean;
}

/** An answer that is whole. */
export interface Update extends TransactionResult {
  /** Whether the data is new, rather than changed in place. */
  readonly isNew: boolean;
  /** Within their bounds. */
  readonly timers: RtrTimers;
}

/** What the owner of the connection is told. */
export interface ConversationPort {
  send(bytes: Buffer): void;
  updated(update: Update): void;
  /** The cache cannot tell what changed; everything is asked for on the same connection. */
  cacheReset(): void;
  /** The connection is to be closed. */
  ended(ending: Ending): void;
}

/** PDUs of one connection outside of answers; a cache may send one notification a minute. */
const MAX_IDLE_PDUS = 10_000;

interface Held {
  readonly session: number;
  readonly serial: number;
}

export class Conversation {
  readonly #port: ConversationPort;
  readonly #nowS: () => number;
  #scope: RpkiScope;
  #version: RtrVersion = HIGHEST_VERSION;
  /** The state to which the cache can tell differences; undefined: everything must be asked for. */
  #held: Held | undefined;
  #data: RpkiData | undefined;
  #reader = new PduReader();
  /** Which query waits for its answer. */
  #asked: 'reset' | 'serial' | undefined;
  /** The session of a Serial Query that waits. */
  #askedSession: number | undefined;
  #transaction: Transaction | undefined;
  #transactionSession = 0;
  /** Whether this connection has answered anything that fits its version. */
  #isAnswered = false;
  #isOpen = false;
  #idlePdus = 0;

  /** @param nowS Unix seconds */
  constructor(scope: RpkiScope, nowS: () => number, port: ConversationPort) {
    this.#scope = scope;
    this.#nowS = nowS;
    this.#port = port;
  }

  /** Whether a query waits for its answer. */
  get isWaiting(): boolean {
    return this.#asked !== undefined;
  }

  /** Sets which prefixes matter. What is held was kept for other prefixes, so everything is asked for again. */
  watch(scope: RpkiScope): void {
    this.#scope = scope;
    this.#held = undefined;
    this.refresh();
  }

  /** A connection stands. */
  opened(): void {
    this.#reader = new PduReader();
    this.#isOpen = true;
    this.#isAnswered = false;
    this.#idlePdus = 0;
    this.#query();
  }

  /** Asks for what is new, unless an answer is awaited. */
  refresh(): void {
    if (this.#isOpen && this.#asked === undefined) this.#query();
  }

  /** The connection ended. */
  closed(result: 'unavailable' | 'timeout', reason: string): void {
    if (!this.#isOpen) return;
    const isCut = result === 'unavailable' && this.#transaction !== undefined;
    // A cache that does not know the version may just close.
    const again = !this.#isAnswered && result !== 'timeout' && this.#lower(this.#version - 1);
    // Some close, too, at a Serial Query of a session that they do not know.
    if (this.#asked === 'serial' && !this.#isAnswered) this.#held = undefined;
    this.#end({ result: isCut ? 'truncated' : result, reason, again });
  }

  receive(chunk: Buffer): void {
    if (!this.#isOpen) return;
    for (const read of this.#reader.read(chunk)) {
      const ending = this.#take(read);
      if (ending === undefined) continue;
      this.#end(ending);
      return;
    }
  }

  #end(ending: Ending): void {
    this.#isOpen = false;
    this.#asked = undefined;
    this.#transaction = undefined;
    this.#port.ended(ending);
  }

  #query(): void {
    const held = this.#held;
    this.#transaction = undefined;
    this.#asked = held === undefined ? 'reset' : 'serial';
    this.#askedSession = held?.session;
    this.#port.send(
      held === undefined ? resetQuery(this.#version) : serialQuery(this.#version, held.session, held.serial),
    );
  }

  #take({ version, pdu, bytes }: VersionedPdu): Ending | undefined {
    // A report may have any version, because it says that our version is the wrong one.
    if (pdu.kind === 'error_report') return this.#reported(version, pdu);
    if (pdu.kind === 'malformed') return this.#refused(pdu.code, pdu.reason, bytes);
    if (version !== this.#version) {
      // The first answer may have a lower version: then the cache knows no higher one.
      const isLower = !this.#isAnswered && pdu.kind === 'cache_response' && version < this.#version;
      if (!isLower) return this.#refused(RTR_ERRORS.unexpected_version, `version ${version} after ${this.#version}`);
      this.#version = version as RtrVersion;
    }
    switch (pdu.kind) {
      case 'serial_notify':
        return this.#notified(pdu);
      case 'cache_response':
        return this.#begun(pdu.session);
      case 'end_of_data':
        return this.#completed(pdu);
      case 'cache_reset':
        return this.#reset();
      case 'prefix':
      case 'aspa':
      case 'router_key':
        return this.#record(pdu);
    }
  }

  /** One record of an answer. */
  #record(pdu: Extract<Pdu, { kind: 'prefix' | 'aspa' | 'router_key' }>): Ending | undefined {
    const transaction = this.#transaction;
    if (transaction === undefined) return this.#outOfPlace(pdu.kind);
    switch (pdu.kind) {
      case 'prefix':
        return this.#faulty(transaction.prefix(pdu.vrp, pdu.announce));
      case 'aspa': {
        const fault = transaction.aspa(pdu.customer, pdu.announce ? pdu.providers : undefined);
        // An ASPA in a layout that was given up reads as a withdrawal of what nobody announced: version 1 has no ASPAs.
        if (fault === 'unknown' && this.#asked === 'reset')
          return { result: 'protocol_error', reason: 'an ASPA in an outdated layout', again: this.#lower(1) };
        return this.#faulty(fault);
      }
      case 'router_key':
        return undefined;
    }
  }

  #notified({ session, serial }: Extract<Pdu, { kind: 'serial_notify' }>): Ending | undefined {
    if (++this.#idlePdus > MAX_IDLE_PDUS)
      return { result: 'protocol_error', reason: 'more notifications than a cache may send', again: false };
    const held = this.#held;
    if (this.#asked !== undefined || held === undefined) return undefined;
    if (session !== held.session) return this.#otherSession();
    if (serial !== held.serial) this.#query();
    return undefined;
  }

  #begun(session: number): Ending | undefined {
    if (this.#asked === undefined || this.#transaction !== undefined) return this.#outOfPlace('cache_response');
    this.#isAnswered = true;
    this.#transactionSession = session;
    const isDifference = this.#asked === 'serial' && this.#data !== undefined;
    if (isDifference && session !== this.#askedSession) return this.#otherSession();
    const data = isDifference ? this.#data : new RpkiData(this.#scope, this.#nowS(), this.#data);
    if (data !== undefined) this.#transaction = new Transaction(data, !isDifference);
    return undefined;
  }

  #completed({ session, serial, timers }: Extract<Pdu, { kind: 'end_of_data' }>): Ending | undefined {
    const transaction = this.#transaction;
    if (transaction === undefined) return this.#outOfPlace('end_of_data');
    if (session !== this.#transactionSession) return this.#otherSession();
    const result = transaction.end();
    if (typeof result === 'string') return this.#faulty(result);
    const isNew = this.#asked === 'reset';
    this.#transaction = undefined;
    this.#asked = undefined;
    this.#idlePdus = 0;
    this.#data = result.data;
    // Data that was asked for when other prefixes were monitored cannot be the base of differences.
    const isCurrent = result.data.vrps.scope === this.#scope;
    this.#held = isCurrent ? { session, serial } : undefined;
    this.#port.updated({ ...result, isNew, timers: clampTimers(timers ?? DEFAULT_TIMERS) });
    if (!isCurrent) this.refresh();
    return undefined;
  }

  #reset(): Ending | undefined {
    if (this.#asked !== 'serial' || this.#transaction !== undefined) return this.#outOfPlace('cache_reset');
    this.#isAnswered = true;
    this.#held = undefined;
    this.#port.cacheReset();
    this.#query();
    return undefined;
  }

  #reported(version: number, { code, text }: Extract<Pdu, { kind: 'error_report' }>): Ending {
    const reason = `error ${code}: ${text}`;
    if (code === RTR_ERRORS.no_data) return { result: 'no_data', reason: text, again: false };
    // RFC 8210 section 7. Some caches report with another code, in a lower version.
    const isOfVersion = code === RTR_ERRORS.unsupported_version || version < this.#version;
    if (!this.#isAnswered && isOfVersion) {
      const again = this.#lower(version < this.#version ? version : this.#version - 1);
      return { result: 'error_report', reason, again };
    }
    // What the Serial Query was about may be what the cache does not know: then all is asked for.
    const again = this.#asked === 'serial';
    if (again) this.#held = undefined;
    return { result: 'error_report', reason, again };
  }

  /** Session and serial are of no use; the data is, until another one is whole (RFC 8210 section 5.1). */
  #otherSession(): Ending {
    this.#held = undefined;
    return { result: 'new_session', reason: 'the session is another one', again: true };
  }

  #faulty(fault: TransactionFault | undefined): Ending | undefined {
    if (fault === undefined) return undefined;
    const again = this.#asked === 'serial';
    this.#held = undefined;
    switch (fault) {
      case 'unknown':
        return this.#refused(RTR_ERRORS.unknown_withdrawal, 'a withdrawal of what was not announced');
      case 'duplicate':
        return this.#refused(RTR_ERRORS.duplicate_announcement, 'an announcement of what is there');
      case 'too_large':
        return { result: 'too_large', reason: 'more than a set may hold', again };
      case 'empty':
        return { result: 'empty', reason: 'it has no VRP and no ASPA', again: false };
    }
  }

  #outOfPlace(kind: Pdu['kind']): Ending {
    return this.#refused(RTR_ERRORS.corrupt_data, `a ${kind.replaceAll('_', ' ')} out of place`);
  }

  #refused(code: number, reason: string, wrong: Buffer = Buffer.alloc(0)): Ending {
    const isOfVersion = code === RTR_ERRORS.unexpected_version && !this.#isAnswered;
    if (isOfVersion) return { result: 'protocol_error', reason, again: this.#lower(this.#version - 1) };
    this.#port.send(errorReport(this.#version, code, wrong, reason));
    return { result: 'protocol_error', reason, again: false };
  }

  /** The next connection speaks this version; false: there is none so low, and it begins with the highest again. */
  #lower(version: number): boolean {
    this.#held = undefined;
    this.#version = version < 0 ? HIGHEST_VERSION : (version as RtrVersion);
    return version >= 0;
  }
}
