/** Validated data from a cache that speaks the RPKI-to-Router protocol, over TCP or TLS. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { networkReason } from '../../errors/network-error.ts';
import { systemCode } from '../../errors/system-error.ts';
import { tlsReason } from '../../errors/tls-error.ts';
import { TurnSlice } from '../../in-turns.ts';
import type { Logger } from '../../logger.ts';
import type { Timers } from '../../stream/timers.ts';
import type { RpkiScope } from '../scope.ts';
import { RpkiSourceState } from '../source-state.ts';
import { Conversation, type Ending, type Update } from './conversation.ts';
import { DEFAULT_TIMERS } from './pdu.ts';

export interface RtrSourceOptions {
  readonly host: string;
  readonly port: number;
  /** Undefined: plain TCP. `ca`: certificates of authorities, as PEM, in place of those of Node. */
  readonly tls: { readonly ca?: string } | undefined;
  /** Data that was not confirmed for so long is not used, ms; nor is it beyond the expiry that the cache says. */
  readonly maxAgeMs: number;
  readonly scope: RpkiScope;
  readonly timers: Timers;
  /** What the machine's clock shows, Unix ms. */
  readonly unixMs: () => number;
  /** Tells the source apart in the log. */
  readonly name: string;
  readonly log: Logger;
}

/** A connection that is not made within this time has failed, ms. */
const CONNECT_LIMIT_MS = 20_000;
/** How long after a query or the last byte of its answer the cache counts as hanging, ms. */
const ANSWER_LIMIT_MS = 60_000;
/** A whole answer, ms: a cache that floods sends bytes for ever. */
const WHOLE_LIMIT_MS = 15 * 60_000;
/** Connections that are tried at once, one after the other: three versions, and a session that is another one. */
const MAX_AT_ONCE = 4;

export class RtrSource {
  readonly state = new RpkiSourceState();
  readonly #options: RtrSourceOptions;
  readonly #conversation: Conversation;
  #socket: Socket | undefined;
  #retryS = DEFAULT_TIMERS.retryS;
  /** Connections in a row that brought nothing and were followed by another at once. */
  #atOnce = 0;
  #isStopped = false;
  #cancelNext: () => void = () => {};
  #cancelAnswer: () => void = () => {};
  #cancelWhole: () => void = () => {};

  constructor(options: RtrSourceOptions) {
    this.#options = options;
    this.#conversation = new Conversation(options.scope, () => options.unixMs() / 1_000, {
      send: (bytes) => {
        this.#socket?.write(bytes);
        this.#awaitAnswer();
      },
      updated: (update) => this.#updated(update),
      cacheReset: () => {
        this.state.results.cache_reset++;
      },
      ended: (ending) => this.#ended(ending),
    });
  }

  start(): void {
    this.#connect();
  }

  watch(scope: RpkiScope): void {
    if (this.#isStopped) return;
    this.#conversation.watch(scope);
    // Without a connection the next one asks for all; it need not wait.
    if (this.#socket !== undefined) return;
    this.#cancelNext();
    this.#connect();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelNext();
    this.#drop();
  }

  #connect(): void {
    const { host, port, tls, timers } = this.#options;
    const socket =
      tls === undefined
        ? connectTcp({ host, port })
        : connectTls({
            host,
            port,
            ...(tls.ca !== undefined && { ca: tls.ca }),
            ...(isName(host) && { servername: host }),
          });
    this.#socket = socket;
    const cancelConnect = timers.schedule(() => socket.destroy(new Error('no connection in time')), CONNECT_LIMIT_MS);
    const slices = new TurnSlice(() => timers.elapsed());
    let isOpen = false;
    let reason = 'the cache closed the connection';
    socket.setNoDelay(true);
    socket.on(tls === undefined ? 'connect' : 'secureConnect', () => {
      if (this.#socket !== socket) return;
      isOpen = true;
      cancelConnect();
      // Keep-alives show when the machine of the cache has gone.
      socket.setKeepAlive(true, 60_000);
      this.#conversation.opened();
    });
    socket.on('data', (chunk: Buffer) => {
      if (this.#socket !== socket) return;
      this.#conversation.receive(chunk);
      if (!this.#conversation.isWaiting || !slices.isOver) return;
      this.#expectMore();
      socket.pause();
      setImmediate(() => {
        slices.begin();
        socket.resume();
      });
    });
    socket.on('error', (error) => {
      reason = tlsReason(error) ?? networkReason(error) ?? systemCode(error) ?? error.message;
    });
    socket.on('close', () => {
      cancelConnect();
      if (this.#socket !== socket) return;
      if (isOpen) this.#conversation.closed('unavailable', reason);
      else this.#ended({ result: 'unavailable', reason, again: false });
    });
  }

  /** Leaves the connection: whatever comes from it later is ignored. */
  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#cancelAnswer();
    this.#cancelWhole();
    // What was written to it, a report, still leaves.
    socket?.end();
    socket?.destroySoon();
    socket?.on('error', () => {});
  }

  #awaitAnswer(): void {
    this.#expectMore();
    this.#cancelWhole();
    this.#cancelWhole = this.#options.timers.schedule(() => this.#giveUp(), WHOLE_LIMIT_MS);
  }

  #expectMore(): void {
    this.#cancelAnswer();
    this.#cancelAnswer = this.#options.timers.schedule(() => this.#giveUp(), ANSWER_LIMIT_MS);
  }

  #giveUp(): void {
    this.#conversation.closed('timeout', 'no whole answer in time');
  }

  #updated({ data, changes, isNew, timers }: Update): void {
    const { state } = this;
    const { unixMs, maxAgeMs, log, name } = this.#options;
    this.#cancelAnswer();
    this.#cancelWhole();
    const isChanged = isNew || Object.values(changes ?? {}).some((count) => count > 0);
    const isFirst = state.data === undefined;
    if (isNew) state.replaced(data);
    else if (isChanged) state.changed(changes);
    const nowMs = unixMs();
    // RTR does not tell when the data was made.
    const usableUntilMs = nowMs + Math.min(timers.expireS * 1_000, maxAgeMs);
    state.confirmed(isChanged ? 'success' : 'unchanged', nowMs, nowMs, usableUntilMs);
    if (isFirst || this.state.hasFailed) {
      const counts = { vrps: data.total, kept: data.vrps.size, aspas: data.aspas.size };
      log.info('validated RPKI data was read', { rpki_source: name, ...counts });
    }
    this.state.hasFailed = false;
    this.#atOnce = 0;
    this.#retryS = timers.retryS;
    this.#next(Math.min(timers.refreshS * 1_000, maxAgeMs / 2), () => this.#conversation.refresh());
  }

  #ended({ result, reason, again }: Ending): void {
    this.#drop();
    if (this.#isStopped) return;
    const { state } = this;
    const { log, name, maxAgeMs } = this.#options;
    state.failed(result);
    const isAtOnce = again && ++this.#atOnce < MAX_AT_ONCE;
    if (isAtOnce) {
      log.debug('the RPKI cache is asked in another way', { rpki_source: name, result, reason });
      this.#next(0, () => this.#connect());
      return;
    }
    if (!this.state.hasFailed) {
      const note = state.data === undefined ? 'there is none yet' : 'what was read before is kept';
      log.warn(`validated RPKI data could not be read; ${note}`, { rpki_source: name, result, reason });
    }
    this.state.hasFailed = true;
    this.#atOnce = 0;
    this.#next(Math.min(this.#retryS * 1_000, RETRY_LIMIT_MS, maxAgeMs / 4), () => this.#connect());
  }

  /** A tenth more or less, so that a fleet does not ask all at once. */
  #next(waitMs: number, step: () => void): void {
    const { timers } = this.#options;
    this.#cancelNext();
    this.#cancelNext = timers.schedule(step, waitMs * (0.9 + 0.2 * timers.random()));
  }
}

/** A cache that failed is tried again after a minute at most, whatever it said before. */
const RETRY_LIMIT_MS = 60_000;

/** Whether TLS may ask for it by name; addresses are compared with the certificate without. */
function isName(host: string): boolean {
  return !/^[0-9.]+$|:/.test(host);
}
