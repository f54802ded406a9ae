/**
 * Server-sent events for open pages. Once a second whoever is connected gets what changed since it was last told; a page that
 * does not read gets nothing until it has read, and then all of it at once, so that a slow one costs no memory.
 *
 * In a storm every prefix changes all the time. What changes its state is told in the same second; of the others a bounded
 * number is told each second, those first that were not told for the longest time.
 */
import type { ServerResponse } from 'node:http';
import type { HistoryWindow } from '../../history/prefix-history.ts';
import type { PrefixStanding } from '../../history/prefix-standing.ts';
import { SAMPLE_MS } from '../../history/table-history.ts';
import { inTurns } from '../../in-turns.ts';
import type { MonitoredPrefix } from '../../table/prefixes/prefix-state.ts';
import type { PageFacts } from './page-facts.ts';

/** Pages at once, and of one address. */
export const MAX_EVENT_CLIENTS = 256;
export const MAX_EVENT_CLIENTS_PER_ADDRESS = 64;
/** A page that reads nothing for so long is gone, ms. */
const STALLED_MS = 60_000;
/** Prefixes whose numbers are told again each second, beside those whose state has changed: a thousand take four seconds. */
export const MAX_TOLD_A_TICK = 250;
/** The state of streams, seeds and validators is told at least as often, in ticks: a page that hears nothing knows that it is cut off. */
const STATUS_TICKS = 5;

/** What a page wants to hear of. */
export type Topic =
  | { readonly kind: 'overview' }
  | { readonly kind: 'prefix'; readonly prefix: string; readonly window: HistoryWindow };

interface Client {
  readonly response: ServerResponse;
  readonly address: string;
  readonly topic: Topic;
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
  /** The number of its newest change. */
  changed: number;
  text: string;
}

export class EventHub {
  readonly #facts: PageFacts;
  readonly #now: () => number;
  readonly #clients = new Set<Client>();
  #noted = new Map<string, Noted>();
  /** Whether all prefixes are noted, since somebody listens. */
  #isNoted = false;
  /** The number of the newest change of which everything is noted. */
  #change = 0;
  #ticks = 0;
  #sample = 0;
  #isPublishing = false;
  /** Whether there is something to tell since it began. */
  #again = false;
  readonly #run: (steps: Generator<void, void>) => unknown;

  /**
   * @param now Unix ms
   * @param run runs steps to their end, beside other work. Default: in turns of the event loop
   */
  constructor(facts: PageFacts, now: () => number, run: (steps: Generator<void, void>) => unknown = inTurns) {
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
  add(response: ServerResponse, address: string, topic: Topic): void {
    // The password was checked meanwhile, and `close` is not told twice.
    if (response.destroyed || response.closed) return;
    const client: Client = { response, address, topic, told: -1, stalledAtMs: undefined };
    this.#clients.add(client);
    response.on('drain', () => {
      client.stalledAtMs = undefined;
    });
    response.once('close', () => {
      this.#clients.delete(client);
      if (this.#clients.size === 0) this.#forget();
    });
    response.write('retry: 2000\n\n');
    const messages = new Messages(this.#facts);
    this.#send(client, messages.status(), this.#isNoted ? this.#news(client, messages) : undefined);
    if (!this.#isNoted) this.#run(this.publish());
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
    if (this.#clients.size === 0 || !(yield* this.#noteAll())) return;
    const messages = new Messages(this.#facts);
    // A line of time grows also while nothing happens.
    const sample = Math.floor(this.#now() / SAMPLE_MS);
    const isSampled = sample !== this.#sample;
    this.#sample = sample;
    const saysStatus = this.#ticks++ % STATUS_TICKS === 0;
    for (const client of this.#clients) {
      yield;
      if (client.stalledAtMs !== undefined) {
        if (this.#now() - client.stalledAtMs > STALLED_MS) client.response.destroy();
        continue;
      }
      this.#send(client, saysStatus ? messages.status() : undefined, this.#news(client, messages, isSampled));
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
    this.#isNoted = false;
  }

  #send(client: Client, status: Buffer | undefined, news: Buffer | undefined): void {
    if (this.#isNoted) client.told = this.#change;
    for (const bytes of [status, news])
      if (bytes !== undefined && !client.response.write(bytes)) client.stalledAtMs = this.#now();
  }

  #news({ topic, told }: Client, messages: Messages, isSampled = false): Buffer | undefined {
    if (topic.kind === 'overview') {
      const isNew = told < 0;
      return told === this.#change ? undefined : messages.overview(told, isNew, this.#noted);
    }
    const noted = this.#noted.get(topic.prefix);
    return noted !== undefined && (isSampled || noted.changed > told)
      ? messages.detail(topic.prefix, topic.window)
      : undefined;
  }

  /** Notes which prefixes differ from what was last noted. False: nobody listens any more. */
  *#noteAll(): Generator<void, boolean> {
    const facts = this.#facts;
    const noted = this.#noted;
    const change = this.#change + 1;
    const waiting: { prefix: MonitoredPrefix; known: Noted; version: string }[] = [];
    const seen = new Set<string>();
    let any = false;
    const note = (prefix: MonitoredPrefix, version: string, standing: PrefixStanding): void => {
      const key = prefix.state.prefix.text;
      const text = JSON.stringify(facts.summary(prefix));
      const known = noted.get(key);
      // A version says that something may have changed; most samples change nothing that shows.
      const changed = known?.text === text ? known.changed : change;
      noted.set(key, { version, standing, lookedAt: this.#ticks, changed, text });
      any ||= changed === change;
    };
    for (const prefix of [...facts.prefixes()]) {
      const key = prefix.state.prefix.text;
      seen.add(key);
      const version = facts.versionOf(prefix);
      const known = noted.get(key);
      if (known?.version !== version) {
        const standing = facts.standing(prefix);
        if (known === undefined || known.standing !== standing) note(prefix, version, standing);
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
    this.#isNoted = true;
    return true;
  }
}

/** The texts of one tick, each made once however many pages get it. */
class Messages {
  readonly #facts: PageFacts;
  readonly #overviews = new Map<number, Buffer>();
  readonly #details = new Map<string, Buffer>();
  #status: Buffer | undefined;

  constructor(facts: PageFacts) {
    this.#facts = facts;
  }

  status(): Buffer {
    this.#status ??= Buffer.from(`event: status\ndata: ${JSON.stringify(this.#facts.status())}\n\n`);
    return this.#status;
  }

  /** Summaries of the prefixes that changed after a change; with `all` the page forgets every other prefix. */
  overview(after: number, all: boolean, noted: ReadonlyMap<string, Noted>): Buffer {
    let bytes = this.#overviews.get(after);
    if (bytes === undefined) {
      const changed: string[] = [];
      for (const one of noted.values()) if (one.changed > after) changed.push(one.text);
      bytes = Buffer.from(
        `event: prefixes\ndata: {"all":${all},"count":${noted.size},"prefixes":[${changed.join(',')}]}\n\n`,
      );
      this.#overviews.set(after, bytes);
    }
    return bytes;
  }

  /** Undefined: the prefix is not monitored any more. */
  detail(prefix: string, window: HistoryWindow): Buffer | undefined {
    const key = `${window} ${prefix}`;
    let bytes = this.#details.get(key);
    if (bytes === undefined) {
      const found = this.#facts.find(prefix);
      if (found === undefined) return undefined;
      bytes = Buffer.from(`event: prefix\ndata: ${JSON.stringify(this.#facts.detail(found, window))}\n\n`);
      this.#details.set(key, bytes);
    }
    return bytes;
  }
}
