/**
 * The subscriptions of one connection: what is asked for goes out in blocks, one at a time and a little apart, and each waits
 * for its acknowledgement. A block that is refused is cut, until the prefix is found that the service does not take. Where it
 * takes none any more the connection is full, and what is left is handed back: another connection may carry it.
 */
import type { Timers } from '../stream/timers.ts';

/** Prefixes in one request. */
const BLOCK = 50;

/** Between two requests, ms: what other public clients keep to, so that the service does not drop them. */
const PACE_MS = 200;

/** How long an acknowledgement may take, ms. Without one the next request goes all the same. */
const ACKNOWLEDGE_MS = 10_000;

/** What a service may say when it takes no more prefixes. If it says something else, two refusals in a row tell the same. */
const LIMIT = /\b(?:too many|limit|maximum|exceed)/i;

type Filter = Readonly<Record<string, string>>;

/** The keep-alives of one collector come each second, so that a stream that has stopped shows even where no prefix changes. */
const KEEP_ALIVE: Filter = { type: 'KEEPALIVE', host: 'rrc00' };

/**
 * What tells that peers go down, and that the stream as a whole lives. The manual calls the state of a peer RIS_PEER_STATE,
 * the frames call it STATE, and which of both a subscription must name is not known: one may be refused.
 */
export const ALL_PEERS: readonly Filter[] = [
  { type: 'RIS_PEER_STATE' },
  { type: 'STATE' },
  { type: 'NOTIFICATION' },
  KEEP_ALIVE,
];

/** What a further connection asks for: one connection is enough for the states of the peers. */
export const ONLY_LIFE: readonly Filter[] = [KEEP_ALIVE];

type Request =
  | { readonly kind: 'prefixes'; readonly prefixes: readonly string[] }
  | { readonly kind: 'leave'; readonly prefixes: readonly string[] }
  | { readonly kind: 'other'; readonly filter: Filter };

export interface SubscriberOptions {
  readonly timers: Timers;
  /** Sends a text frame. */
  readonly send: (text: string) => void;
  /** Called each time when every request was answered or given up. */
  readonly onSettled: () => void;
  /** The service does not take it; `text` is what it says. */
  readonly onRefused: (what: string, text: string) => void;
  /** It takes no more on this connection; these prefixes are not asked for any longer. `text` is what it says. */
  readonly onFull: (prefixes: readonly string[], text: string) => void;
}

export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #accepted = new Set<string>();
  #queue: Request[] = [];
  #outstanding: Request | undefined;
  /** When the service does not acknowledge the first request, the others do not wait for an acknowledgement. */
  #waitMs = ACKNOWLEDGE_MS;
  #isOver = false;
  /** A prefix that was refused where others were taken: the next answer shows whether the prefix is bad or the connection full. */
  #suspect: { readonly prefix: string; readonly text: string } | undefined;
  #cancelTimer: () => void = () => {};

  /**
   * Begins with the first request; each connection has its own.
   * @param filters what is asked for beside the prefixes, and before them: a connection may be full with these
   */
  constructor(options: SubscriberOptions, prefixes: readonly string[], filters: readonly Filter[]) {
    this.#options = options;
    this.#queue = [
      ...filters.map((filter) => ({ kind: 'other', filter }) as const),
      ...blocksOf(prefixes).map((block) => ({ kind: 'prefixes', prefixes: block }) as const),
    ];
    this.#next();
  }

  /** Prefixes that the service has taken. */
  get accepted(): ReadonlySet<string> {
    return this.#accepted;
  }

  /** Everything was asked for, and answered or given up. */
  get isSettled(): boolean {
    return this.#queue.length === 0 && this.#outstanding === undefined;
  }

  /** Asks for the difference to what the connection has. `onSettled` follows, at once where there is none. */
  change(prefixes: readonly string[]): void {
    const wanted = new Set(prefixes);
    const coming = new Set<string>();
    for (const request of [...this.#queue, this.#outstanding])
      if (request?.kind === 'prefixes') for (const prefix of request.prefixes) coming.add(prefix);
    const isNew = (prefix: string) => !this.#accepted.has(prefix) && !coming.has(prefix);
    const leaving = [...this.#accepted].filter((prefix) => !wanted.has(prefix));
    for (const prefix of leaving) this.#accepted.delete(prefix);
    this.#queue.push(
      ...leaving.map((prefix) => ({ kind: 'leave', prefixes: [prefix] }) as const),
      ...blocksOf(prefixes.filter(isNew)).map((block) => ({ kind: 'prefixes', prefixes: block }) as const),
    );
    if (this.isSettled) this.#options.onSettled();
    else if (this.#outstanding === undefined) this.#next();
  }

  /** The service has answered a request. An answer that comes while no request is outstanding belongs to none. */
  acknowledged(): void {
    this.#waitMs = ACKNOWLEDGE_MS;
    const request = this.#outstanding;
    if (request === undefined) return;
    if (request.kind === 'prefixes') {
      for (const prefix of request.prefixes) this.#accepted.add(prefix);
      this.#tellSuspect();
    }
    this.#advance();
  }

  /** @returns whether the error answers a request */
  refused(text: string): boolean {
    const request = this.#outstanding;
    if (request === undefined) return false;
    if (request.kind === 'prefixes' && this.#isFull(request.prefixes, text)) this.#handBack(request.prefixes, text);
    else if (request.kind === 'prefixes' && request.prefixes.length > 1) {
      const half = Math.ceil(request.prefixes.length / 2);
      this.#queue.unshift(
        { kind: 'prefixes', prefixes: request.prefixes.slice(0, half) },
        { kind: 'prefixes', prefixes: request.prefixes.slice(half) },
      );
    } else if (request.kind === 'prefixes' && this.#accepted.size > 0)
      this.#suspect = { prefix: request.prefixes[0], text };
    else this.#options.onRefused(nameOf(request), text);
    this.#advance();
    return true;
  }

  /** If no prefix was accepted yet, the refusal is about the prefix: a connection without prefixes cannot be full. */
  #isFull(prefixes: readonly string[], text: string): boolean {
    if (this.#accepted.size === 0) return false;
    return LIMIT.test(text) || (prefixes.length === 1 && this.#suspect !== undefined);
  }

  #handBack(prefixes: readonly string[], text: string): void {
    const left = [...(this.#suspect === undefined ? [] : [this.#suspect.prefix]), ...prefixes];
    this.#suspect = undefined;
    for (const request of this.#queue) if (request.kind === 'prefixes') left.push(...request.prefixes);
    this.#queue = this.#queue.filter(({ kind }) => kind !== 'prefixes');
    this.#options.onFull(left, text);
  }

  /** The connection takes others after it, or nothing was left to try: the prefix is what the service does not take. */
  #tellSuspect(): void {
    if (this.#suspect === undefined) return;
    const { prefix, text } = this.#suspect;
    this.#suspect = undefined;
    this.#options.onRefused(prefix, text);
  }

  /** The connection is over. */
  stop(): void {
    this.#isOver = true;
    this.#queue = [];
    this.#outstanding = undefined;
    this.#cancelTimer();
  }

  #advance(): void {
    this.#outstanding = undefined;
    this.#cancelTimer();
    if (this.#isOver) return;
    if (this.#queue.length === 0) {
      this.#tellSuspect();
      this.#options.onSettled();
    } else this.#cancelTimer = this.#options.timers.schedule(() => this.#next(), PACE_MS);
  }

  #next(): void {
    const request = this.#queue.shift();
    if (request === undefined) return;
    const { send, timers } = this.#options;
    this.#outstanding = request;
    send(JSON.stringify(messageOf(request)));
    // It is not documented whether the end of a subscription is acknowledged.
    if (request.kind === 'leave') this.#advance();
    else this.#cancelTimer = timers.schedule(() => this.#giveUp(request), this.#waitMs);
  }

  /** Without an acknowledgement the service may have taken it all the same: routes of it will show. */
  #giveUp(request: Request): void {
    this.#waitMs = PACE_MS;
    if (request.kind === 'prefixes') for (const prefix of request.prefixes) this.#accepted.add(prefix);
    this.#advance();
  }
}

function messageOf(request: Request): object {
  switch (request.kind) {
    case 'prefixes':
      return subscribe({ prefix: request.prefixes, moreSpecific: true, lessSpecific: false });
    case 'leave':
      return {
        type: 'ris_unsubscribe',
        data: { prefix: request.prefixes[0], moreSpecific: true, lessSpecific: false },
      };
    case 'other':
      return subscribe(request.filter);
  }
}

function subscribe(filter: object): object {
  return { type: 'ris_subscribe', data: { ...filter, socketOptions: { includeRaw: false, acknowledge: true } } };
}

function nameOf(request: Request): string {
  return request.kind === 'other' ? JSON.stringify(request.filter) : request.prefixes.join(' ');
}

function blocksOf(prefixes: readonly string[]): (readonly string[])[] {
  const blocks: (readonly string[])[] = [];
  for (let from = 0; from < prefixes.length; from += BLOCK) blocks.push(prefixes.slice(from, from + BLOCK));
  return blocks;
}
