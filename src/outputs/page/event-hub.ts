/**
 * Server-sent events for open pages. Once a second whoever is connected gets what changed since it was last told; a page that
 * does not read gets nothing until it has read, and then all of it at once, so that a slow one costs no memory.
 */
import type { ServerResponse } from 'node:http';
import type { HistoryWindow } from '../../history/prefix-history.ts';
import { SAMPLE_MS } from '../../history/table-history.ts';
import type { MonitoredPrefix } from '../../table/prefixes/prefix-state.ts';
import type { PageFacts } from './page-facts.ts';

/** Pages at once, and of one address. */
export const MAX_EVENT_CLIENTS = 256;
export const MAX_EVENT_CLIENTS_PER_ADDRESS = 64;
/** A page that reads nothing for so long is gone, ms. */
const STALLED_MS = 60_000;
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
  /** The number of its newest change. */
  changed: number;
  text: string;
}

export class EventHub {
  readonly #facts: PageFacts;
  readonly #now: () => number;
  readonly #clients = new Set<Client>();
  readonly #noted = new Map<string, Noted>();
  #change = 0;
  #ticks = 0;
  #sample = 0;

  /** @param now Unix ms */
  constructor(facts: PageFacts, now: () => number) {
    this.#facts = facts;
    this.#now = now;
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

  /** Begins to send events; what is known now is sent at once. Whoever has left already gets no place. */
  add(response: ServerResponse, address: string, topic: Topic): void {
    // The password was checked meanwhile, and `close` is not told twice.
    if (response.destroyed || response.closed) return;
    const client: Client = { response, address, topic, told: -1, stalledAtMs: undefined };
    if (this.#clients.size === 0) this.#noteAll();
    this.#clients.add(client);
    response.on('drain', () => {
      client.stalledAtMs = undefined;
    });
    response.once('close', () => {
      this.#clients.delete(client);
      if (this.#clients.size === 0) this.#noted.clear();
    });
    response.write('retry: 2000\n\n');
    const messages = new Messages(this.#facts);
    this.#send(client, messages.status() + this.#news(client, messages));
  }

  /** Tells everybody what changed; to be called once a second. */
  publish(): void {
    if (this.#clients.size === 0) return;
    this.#noteAll();
    const messages = new Messages(this.#facts);
    // A line of time grows also while nothing happens.
    const sample = Math.floor(this.#now() / SAMPLE_MS);
    const isSampled = sample !== this.#sample;
    this.#sample = sample;
    const saysStatus = this.#ticks++ % STATUS_TICKS === 0;
    for (const client of this.#clients) {
      if (client.stalledAtMs !== undefined) {
        if (this.#now() - client.stalledAtMs > STALLED_MS) client.response.destroy();
        continue;
      }
      const text = (saysStatus ? messages.status() : '') + this.#news(client, messages, isSampled);
      if (text !== '') this.#send(client, text);
    }
  }

  /** Ends all streams of events: pages ask again, and another process may answer. */
  close(): void {
    const open = [...this.#clients];
    this.#clients.clear();
    this.#noted.clear();
    for (const { response } of open) response.end();
  }

  #send(client: Client, text: string): void {
    client.told = this.#change;
    if (!client.response.write(text)) client.stalledAtMs = this.#now();
  }

  #news({ topic, told }: Client, messages: Messages, isSampled = false): string {
    if (topic.kind === 'overview') {
      const isNew = told < 0;
      return told === this.#change ? '' : messages.overview(told, isNew, this.#noted);
    }
    const noted = this.#noted.get(topic.prefix);
    return noted !== undefined && (isSampled || noted.changed > told)
      ? messages.detail(topic.prefix, topic.window)
      : '';
  }

  /** Notes which prefixes differ from what was last noted. */
  #noteAll(): void {
    this.#change++;
    let any = false;
    const seen = new Set<string>();
    for (const prefix of this.#facts.prefixes()) {
      const key = prefix.state.prefix.text;
      seen.add(key);
      const version = this.#facts.versionOf(prefix);
      const noted = this.#noted.get(key);
      if (noted?.version === version) continue;
      const text = summaryText(this.#facts, prefix);
      if (noted === undefined) this.#noted.set(key, { version, changed: this.#change, text });
      else {
        noted.version = version;
        // A version says that something may have changed; most samples change nothing that shows.
        if (noted.text === text) continue;
        noted.text = text;
        noted.changed = this.#change;
      }
      any = true;
    }
    for (const key of this.#noted.keys())
      if (!seen.has(key)) {
        this.#noted.delete(key);
        any = true;
      }
    if (!any) this.#change--;
  }
}

/** The texts of one tick, each made once however many pages get it. */
class Messages {
  readonly #facts: PageFacts;
  readonly #overviews = new Map<number, string>();
  readonly #details = new Map<string, string>();
  #status: string | undefined;

  constructor(facts: PageFacts) {
    this.#facts = facts;
  }

  status(): string {
    this.#status ??= `event: status\ndata: ${JSON.stringify(this.#facts.status())}\n\n`;
    return this.#status;
  }

  /** Summaries of the prefixes that changed after a change; with `all` the page forgets every other prefix. */
  overview(after: number, all: boolean, noted: ReadonlyMap<string, Noted>): string {
    let text = this.#overviews.get(after);
    if (text === undefined) {
      const changed: string[] = [];
      for (const one of noted.values()) if (one.changed > after) changed.push(one.text);
      text = `event: prefixes\ndata: {"all":${all},"count":${noted.size},"prefixes":[${changed.join(',')}]}\n\n`;
      this.#overviews.set(after, text);
    }
    return text;
  }

  detail(prefix: string, window: HistoryWindow): string {
    const key = `${window} ${prefix}`;
    let text = this.#details.get(key);
    if (text === undefined) {
      const found = this.#facts.find(prefix);
      text = found === undefined ? '' : `event: prefix\ndata: ${JSON.stringify(this.#facts.detail(found, window))}\n\n`;
      this.#details.set(key, text);
    }
    return text;
  }
}

function summaryText(facts: PageFacts, prefix: MonitoredPrefix): string {
  return JSON.stringify(facts.summary(prefix));
}
