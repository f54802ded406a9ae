/**
 * Server-sent events for open pages. Once a second whoever is connected gets what changed since it was last told; a page that
 * does not read gets nothing until it has read, and then all of it at once, so that a slow one costs no memory.
 *
 * In a storm every prefix changes all the time. What changes its state is told in the same second, and so is whatever changes of
 * a prefix whose own page is open; of the others a bounded number is told each second, those first that were not told for the
 * longest time.
 */
import type { ServerResponse } from 'node:http';
import type { HistoryWindow } from '../../history/prefix-history.ts';
import type { PrefixStanding } from '../../history/prefix-standing.ts';
import { SAMPLE_MS } from '../../history/table-history.ts';
import { inTurns, ownTurn } from '../../in-turns.ts';
import type { MonitoredPrefix } from '../../table/prefixes/prefix-state.ts';
import type { Status } from './api-schemas.ts';
import { EventText, GZIP_HEAD } from './event-text.ts';
import type { PageFacts } from './page-facts.ts';

/** Pages at once, and of one address. */
export const MAX_EVENT_CLIENTS = 256;
export const MAX_EVENT_CLIENTS_PER_ADDRESS = 64;
/** A page that reads nothing for so long is gone, ms. */
const STALLED_MS = 60_000;
/** Prefixes whose numbers are told again each second, beside those whose state has changed: a thousand take four seconds. */
export const MAX_TOLD_A_TICK = 250;
/**
 * What the exporter says of itself is told when it changes, and at least as often, in ticks: a page that hears nothing knows that
 * it is cut off.
 */
const STATUS_TICKS = 5;

/** A browser that lost its connection waits so long, ms, before it asks again. */
const RETRY = new EventText('retry: 2000\n\n');

/** What a page wants to hear of. */
export type Topic =
  | { readonly kind: 'overview' }
  | { readonly kind: 'prefix'; readonly prefix: string; readonly window: HistoryWindow };

/** Who opens a page. */
export interface Listener {
  readonly response: ServerResponse;
  readonly address: string;
  readonly topic: Topic;
  /** Whether it is sent events in the coding gzip, as its head said. */
  readonly isPacked: boolean;
}

interface Client extends Listener {
  /** The number of the newest change that it was told of. */
  told: number;
  /** Since when it has not read what it was sent, Unix ms; undefined: it has. */
  stalledAtMs: number | undefined;
}

/** What is known of a prefix that a page may ask for. */
interface Noted {
  version: string;
  standing: PrefixStanding;
  /** In which tick it was last looked at. */
  lookedAt: number;
  /** The number of the newest change that an overview shows, and of the newest one that its own page may show. */
  changed: number;
  touched: number;
  text: string;
}

export class EventHub {
  readonly #facts: PageFacts;
  readonly #now: () => number;
  readonly #clients = new Set<Client>();
  /** What was noted last of each prefix that a client listens to. */
  #noted = new Map<string, Noted>();
  /** Whether all prefixes are noted, since an overview is open. */
  #isAllNoted = false;
  /** The number of the newest change of which everything is noted. */
  #change = 0;
  #ticks = 0;
  /** What was last told of the exporter itself, but for what changes all the time. */
  #status = '';
  #sample = 0;
  #isPublishing = false;
  /** Whether there is something to tell since it began. */
  #again = false;
  readonly #run: (steps: Generator<void, void>) => unknown;

  /**
   * @param now Unix ms
   * @param run runs steps to their end, beside other work. Default: in turns of the event loop
   */
  constructor(facts: PageFacts, now: () => number, run: (steps: Generator<void, void>) => unknown = inLaterTurns) {
    this.#facts = facts;
    this.#now = now;
    this.#run = run;
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Whether there is room for another page of this address. */
  hasRoom(address: string): boolean {
    let same = 0;
    for (const client of this.#clients) if (client.address === address) same++;
    return this.#clients.size < MAX_EVENT_CLIENTS && same < MAX_EVENT_CLIENTS_PER_ADDRESS;
  }

  /** Begins to send events: what is known now is told as soon as it is noted. Whoever has left already gets no place. */
  add(listener: Listener): void {
    const { response } = listener;
    // The password was checked meanwhile, and `close` is not told twice.
    if (response.destroyed || response.closed) return;
    const client: Client = { ...listener, told: -1, stalledAtMs: undefined };
    this.#clients.add(client);
    response.on('drain', () => {
      client.stalledAtMs = undefined;
    });
    response.once('close', () => {
      this.#clients.delete(client);
      if (this.#clients.size === 0) this.#forget();
    });
    response.write(listener.isPacked ? Buffer.concat([GZIP_HEAD, RETRY.packed]) : RETRY.plain);
    // The rest is told in turns: hundreds may begin to listen in one.
    this.#send(client, new Messages(this.#facts).status, undefined);
    this.#run(this.publish());
  }

  /**
   * Tells everybody what changed; to be run once a second. Between its steps others may have their turn. Where it is being run
   * already, that run tells it.
   */
  *publish(): Generator<void, void> {
    this.#again = true;
    if (this.#isPublishing) return;
    this.#isPublishing = true;
    try {
      while (this.#again) {
        this.#again = false;
        yield* this.#tell();
      }
    } finally {
      this.#isPublishing = false;
    }
  }

  *#tell(): Generator<void, void> {
    if (this.#clients.size === 0 || !(yield* this.#note())) return;
    const messages = new Messages(this.#facts);
    // A line of time grows also while nothing happens.
    const sample = Math.floor(this.#now() / SAMPLE_MS);
    const isSampled = sample !== this.#sample;
    this.#sample = sample;
    const status = lastingPart(messages.told);
    const saysStatus = this.#ticks++ % STATUS_TICKS === 0 || status !== this.#status;
    this.#status = status;
    const change = this.#change;
    for (const client of this.#clients) {
      yield;
      if (client.stalledAtMs !== undefined) {
        if (this.#now() - client.stalledAtMs > STALLED_MS) client.response.destroy();
        continue;
      }
      // Who came since the prefixes were noted waits for the next run, unless they are all there.
      if (client.topic.kind === 'overview' && !this.#isAllNoted) continue;
      this.#send(client, saysStatus ? messages.status : undefined, this.#news(client, messages, isSampled));
      client.told = change;
    }
  }

  /** Ends all streams of events: pages ask again, and another process may answer. */
  close(): void {
    const open = [...this.#clients];
    this.#clients.clear();
    this.#forget();
    for (const { response } of open) response.end();
  }

  /** What nobody listens to need not be noted. */
  #forget(): void {
    this.#noted = new Map();
    this.#isAllNoted = false;
  }

  #send(client: Client, status: EventText | undefined, news: EventText | undefined): void {
    for (const text of [status, news]) {
      if (text === undefined) continue;
      if (!client.response.write(client.isPacked ? text.packed : text.plain)) client.stalledAtMs = this.#now();
    }
  }

  #news({ topic, told }: Client, messages: Messages, isSampled = false): EventText | undefined {
    if (topic.kind === 'overview')
      return told === this.#change ? undefined : messages.overview(told, told < 0, this.#noted);
    const noted = this.#noted.get(topic.prefix);
    return noted !== undefined && (isSampled || noted.touched > told)
      ? messages.detail(topic.prefix, topic.window)
      : undefined;
  }

  /**
   * Notes which prefixes have changed since the last look, among those that a client listens to. Gives false when no client is
   * left.
   */
  *#note(): Generator<void, boolean> {
    const facts = this.#facts;
    const noted = this.#noted;
    const change = this.#change + 1;
    const { isAll, own } = this.#wanted();
    const prefixes = isAll ? [...facts.prefixes()] : [...own].flatMap((text) => facts.find(text) ?? []);
    const waiting: { prefix: MonitoredPrefix; known: Noted; version: string }[] = [];
    const seen = new Set<string>();
    let any = false;
    const note = (prefix: MonitoredPrefix, version: string, standing: PrefixStanding): void => {
      const key = prefix.state.prefix.text;
      const text = JSON.stringify(facts.summary(prefix));
      const known = noted.get(key);
      // A version says that something may have changed; most samples change nothing that an overview shows.
      const changed = known?.text === text ? known.changed : change;
      noted.set(key, { version, standing, lookedAt: this.#ticks, changed, touched: change, text });
      any ||= changed === change || own.has(key);
    };
    for (const prefix of prefixes) {
      const key = prefix.state.prefix.text;
      seen.add(key);
      const version = facts.versionOf(prefix);
      const known = noted.get(key);
      if (known?.version !== version) {
        const standing = facts.standing(prefix);
        if (known === undefined || known.standing !== standing || own.has(key)) note(prefix, version, standing);
        else waiting.push({ prefix, known, version });
      }
      yield;
      if (this.#noted !== noted) return false;
    }
    waiting.sort((a, b) => a.known.lookedAt - b.known.lookedAt);
    for (const { prefix, known, version } of waiting.slice(0, MAX_TOLD_A_TICK)) {
      note(prefix, version, known.standing);
      yield;
      if (this.#noted !== noted) return false;
    }
    for (const key of noted.keys())
      if (!seen.has(key)) {
        noted.delete(key);
        any = true;
      }
    if (any) this.#change = change;
    this.#isAllNoted = isAll;
    return true;
  }

  /** Whether somebody listens to all prefixes, and those whose own pages are open. */
  #wanted(): { readonly isAll: boolean; readonly own: ReadonlySet<string> } {
    const own = new Set<string>();
    let isAll = false;
    for (const { topic } of this.#clients)
      if (topic.kind === 'overview') isAll = true;
      else own.add(topic.prefix);
    return { isAll, own };
  }
}

/** Hundreds of pages may begin to listen in one turn, and what the first of them is told takes milliseconds. */
async function inLaterTurns(steps: Generator<void, void>): Promise<void> {
  await ownTurn();
  await inTurns(steps);
}

/** What the exporter says of itself, without what changes all the time and need not be told at once. */
function lastingPart({ now: _, routes: __, streams, ...rest }: Status): string {
  return JSON.stringify([rest, streams.map(({ last_update_at: ___, ...stream }) => stream)]);
}

/** The texts of one tick, each made once however many pages get it. */
class Messages {
  readonly #facts: PageFacts;
  readonly #overviews = new Map<number, EventText>();
  readonly #details = new Map<string, EventText>();
  /** What the exporter says of itself as they are made. */
  readonly told: Status;
  #status: EventText | undefined;

  constructor(facts: PageFacts) {
    this.#facts = facts;
    this.told = facts.status();
  }

  get status(): EventText {
    this.#status ??= new EventText(`event: status\ndata: ${JSON.stringify(this.told)}\n\n`);
    return this.#status;
  }

  /** Summaries of the prefixes that changed after a change; with `all` the page forgets every other prefix. */
  overview(after: number, all: boolean, noted: ReadonlyMap<string, Noted>): EventText {
    let event = this.#overviews.get(after);
    if (event === undefined) {
      const changed: string[] = [];
      for (const one of noted.values()) if (one.changed > after) changed.push(one.text);
      event = new EventText(
        `event: prefixes\ndata: {"now":"${this.told.now}","all":${all},"count":${noted.size},"prefixes":[${changed.join(',')}]}\n\n`,
      );
      this.#overviews.set(after, event);
    }
    return event;
  }

  /** Undefined: the prefix is not monitored any more. */
  detail(prefix: string, window: HistoryWindow): EventText | undefined {
    const key = `${window} ${prefix}`;
    let event = this.#details.get(key);
    if (event === undefined) {
      const found = this.#facts.find(prefix);
      if (found === undefined) return undefined;
      event = new EventText(`event: prefix\ndata: ${JSON.stringify(this.#facts.detail(found, window))}\n\n`);
      this.#details.set(key, event);
    }
    return event;
  }
}
