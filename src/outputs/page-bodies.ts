/**
 * Bodies of the page, of its API and of the runbook, which take milliseconds to make and may be of megabytes. They are made
 * one after the other, each in a turn of its own. Whoever asks for what is being made, or for what others still read and is
 * fresh, gets the same bytes. So clients that ask for many at once, or do not read, cost the others neither time nor memory.
 */
import type { FastifyReply } from 'fastify';
import { ownTurn } from '../in-turns.ts';
import type { OpenAnswer } from './connections.ts';
import { FRESH_MS } from './scrapes.ts';

/** Answers under way, each until its last byte is with the system. */
export const MAX_PAGES = 64;
/** Answers under way to one address: a browser asks for six at once. */
export const MAX_PAGES_PER_ADDRESS = 16;
/** Bytes of bodies that are held for their readers; one body is held whatever its size. */
export const MAX_PAGE_BYTES = 32 * 1024 * 1024;
/** An answer that is under way for so long makes room for a new one where there are too many, ms. */
const MIN_PAGE_MS = 1_000;

export interface PageBodiesOptions {
  /** Default 32 MiB. */
  readonly maxBytes?: number;
  /** Milliseconds that only go forward. Default `performance.now`. */
  readonly elapsed?: () => number;
}

/** What a body is made of. */
export type MakePage = () => string | Buffer | Promise<string | Buffer>;

/** Sends what others may share, with the headers that the reply has; 503 where there are too many. */
export type SendPage = (reply: FastifyReply, key: string, make: MakePage) => Promise<FastifyReply>;

interface Body {
  readonly key: string;
  readonly readers: Set<OpenAnswer>;
  readonly made: Promise<Buffer>;
  /** Undefined while it is being made. */
  madeAtMs: number | undefined;
  bytes: number;
}

const NOTHING = Buffer.alloc(0);

export class PageBodies {
  readonly #maxBytes: number;
  readonly #elapsed: () => number;
  /** In the order in which they came. */
  readonly #underWay = new Set<OpenAnswer>();
  /** Those with readers, oldest first, and the newest of each key. */
  readonly #bodies = new Set<Body>();
  readonly #newest = new Map<string, Body>();
  #bytes = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor({ maxBytes = MAX_PAGE_BYTES, elapsed = () => performance.now() }: PageBodiesOptions = {}) {
    this.#maxBytes = maxBytes;
    this.#elapsed = elapsed;
  }

  /**
   * The bytes of an answer, which must not be changed; undefined when there are too many and none of them may be ended.
   * Rejects with what `make` throws.
   * @param key whoever asks with the same key may get the same bytes
   */
  async body(key: string, answer: OpenAnswer, make: MakePage): Promise<Buffer | undefined> {
    if (!this.#hasRoom(answer.address)) return undefined;
    this.#underWay.add(answer);
    const body = this.#share(key, make);
    body.readers.add(answer);
    answer.whenOver(() => {
      this.#underWay.delete(answer);
      this.#leave(body, answer);
    });
    return body.made;
  }

  #share(key: string, make: MakePage): Body {
    const known = this.#newest.get(key);
    if (known !== undefined && (known.madeAtMs === undefined || this.#elapsed() - known.madeAtMs < FRESH_MS))
      return known;
    const made = this.#last.then(async () => {
      await ownTurn();
      return this.#make(body, make);
    });
    this.#last = made.catch(() => {}); // its readers are told
    const body: Body = { key, readers: new Set(), made, madeAtMs: undefined, bytes: 0 };
    this.#bodies.add(body);
    this.#newest.set(key, body);
    return body;
  }

  async #make(body: Body, make: MakePage): Promise<Buffer> {
    if (body.readers.size === 0) return NOTHING;
    const bytes = Buffer.from(await make());
    body.madeAtMs = this.#elapsed();
    if (body.readers.size === 0) return bytes;
    body.bytes = bytes.length;
    this.#bytes += bytes.length;
    // Whoever is cut says so later.
    let over = this.#bytes - this.#maxBytes;
    for (const old of this.#bodies) {
      if (over <= 0) break;
      if (old === body || old.madeAtMs === undefined) continue;
      over -= old.bytes;
      for (const reader of [...old.readers]) reader.cut('page_limit');
    }
    return bytes;
  }

  #leave(body: Body, answer: OpenAnswer): void {
    body.readers.delete(answer);
    if (body.readers.size > 0 || !this.#bodies.delete(body)) return;
    this.#bytes -= body.bytes;
    if (this.#newest.get(body.key) === body) this.#newest.delete(body.key);
  }

  #hasRoom(address: string): boolean {
    const same = [...this.#underWay].filter((answer) => answer.address === address);
    if (same.length >= MAX_PAGES_PER_ADDRESS) return this.#spare(same[0]);
    const [oldest] = this.#underWay;
    return this.#underWay.size < MAX_PAGES || this.#spare(oldest);
  }

  /** Ends an answer in favour of a new one, unless it has only begun. */
  #spare(answer: OpenAnswer): boolean {
    if (this.#elapsed() - answer.startedAtMs < MIN_PAGE_MS) return false;
    this.#underWay.delete(answer);
    answer.cut('page_limit');
    return true;
  }
}
