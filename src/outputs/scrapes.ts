/**
 * Bodies of metrics for those who scrape now. Whoever asks while a body is being written gets that one, and whoever asks
 * while others still read a body that is fresh shares it: clients that do not read hold one body between them, and a
 * scraper behind them is served all the same. When bodies are asked for faster than anybody scrapes, the newest is shared
 * while it is fresh, also when nobody reads it any more.
 */
import type { OpenAnswer } from './connections.ts';
import type { ExpositionFormat } from './text/negotiation.ts';

/** Scrapes under way, each until its last byte is with the system. */
export const MAX_SCRAPES = 64;
/** Scrapes under way from one address. */
export const MAX_SCRAPES_PER_ADDRESS = 16;
/** Bodies that are held for their readers; each may be of many megabytes. */
export const MAX_BODIES = 8;
/** A body is shared while others read it and it is not older, ms. */
export const FRESH_MS = 1_000;
/** Bodies that are written within FRESH_MS for those who ask; beyond that whoever asks gets the newest. */
export const MAX_FRESH_BODIES = 32;
/** A scrape that is under way for so long makes room for a new one where there are too many, ms. */
export const MIN_SCRAPE_MS = 1_000;

export interface ScrapesOptions {
  readonly render: (format: ExpositionFormat) => Promise<Buffer>;
  readonly compress: (body: Buffer) => Promise<Buffer>;
  /** Told of a body of `render` that is read no more. */
  readonly release: (format: ExpositionFormat, body: Buffer) => void;
  /** Milliseconds that only go forward. Default `performance.now`. */
  readonly elapsed?: () => number;
}

interface SharedBody {
  readonly format: ExpositionFormat;
  readonly madeAtMs: number;
  readonly readers: Set<OpenAnswer>;
  /** Undefined once it was given back, because all its readers take it compressed. */
  plain: Buffer | undefined;
  readPlain: boolean;
  compressed: Promise<Buffer> | undefined;
}

export class Scrapes {
  readonly #options: ScrapesOptions;
  readonly #elapsed: () => number;
  /** In the order in which they came. */
  readonly #underWay = new Set<OpenAnswer>();
  readonly #written = new Map<ExpositionFormat, Promise<SharedBody>>();
  /** Those with readers, oldest first. */
  readonly #bodies = new Set<SharedBody>();
  readonly #newest = new Map<ExpositionFormat, SharedBody>();
  /** When the bodies written last were begun, oldest first: MAX_FRESH_BODIES at the most. */
  readonly #begunAtMs: number[] = [];

  constructor(options: ScrapesOptions) {
    this.#options = options;
    this.#elapsed = options.elapsed ?? (() => performance.now());
  }

  /** The bytes of an answer, which must not be changed; undefined when there are too many scrapes and none of them may be ended. */
  async body(format: ExpositionFormat, compressed: boolean, answer: OpenAnswer): Promise<Buffer | undefined> {
    if (!this.#hasRoom(answer.address)) return undefined;
    this.#underWay.add(answer);
    let shared: SharedBody | undefined;
    let over = false;
    answer.whenOver(() => {
      over = true;
      this.#underWay.delete(answer);
      if (shared !== undefined) this.#leave(shared, answer);
    });
    shared = await this.#share(format, compressed);
    if (!over) {
      shared.readers.add(answer);
      this.#bodies.add(shared);
    }
    if (!compressed) return this.#plainOf(shared);
    shared.compressed ??= this.#compress(shared);
    return shared.compressed;
  }

  #plainOf(shared: SharedBody): Buffer {
    const { plain } = shared;
    if (plain === undefined) throw new Error('a body was given back too early');
    shared.readPlain = true;
    return plain;
  }

  async #compress(shared: SharedBody): Promise<Buffer> {
    const { format, plain } = shared;
    if (plain === undefined) throw new Error('a body was given back too early');
    const compressed = await this.#options.compress(plain);
    if (!shared.readPlain) {
      shared.plain = undefined;
      this.#options.release(format, plain);
    }
    return compressed;
  }

  #share(format: ExpositionFormat, compressed: boolean): SharedBody | Promise<SharedBody> {
    const written = this.#written.get(format);
    if (written !== undefined) return written;
    const nowMs = this.#elapsed();
    const known = this.#isHurried(nowMs)
      ? this.#newest.get(format)
      : [...this.#bodies].findLast((body) => body.format === format);
    const usable = known !== undefined && (known.plain !== undefined || (compressed && known.compressed !== undefined));
    if (usable && nowMs - known.madeAtMs < FRESH_MS) return known;
    if (this.#bodies.size >= MAX_BODIES) {
      const [oldest] = this.#bodies;
      for (const reader of [...oldest.readers]) reader.cut('scrape_limit');
      this.#bodies.delete(oldest);
    }
    const writing = this.#write(format, nowMs).finally(() => this.#written.delete(format));
    this.#written.set(format, writing);
    return writing;
  }

  async #write(format: ExpositionFormat, madeAtMs: number): Promise<SharedBody> {
    this.#begunAtMs.push(madeAtMs);
    if (this.#begunAtMs.length > MAX_FRESH_BODIES) this.#begunAtMs.shift();
    const plain = await this.#options.render(format);
    const body = { format, madeAtMs, readers: new Set<OpenAnswer>(), plain, readPlain: false, compressed: undefined };
    this.#newest.set(format, body);
    return body;
  }

  /** Whether as many bodies were written within FRESH_MS as may be. */
  #isHurried(nowMs: number): boolean {
    return this.#begunAtMs.length === MAX_FRESH_BODIES && nowMs - this.#begunAtMs[0] < FRESH_MS;
  }

  #leave(shared: SharedBody, answer: OpenAnswer): void {
    shared.readers.delete(answer);
    if (shared.readers.size === 0) this.#bodies.delete(shared);
  }

  #hasRoom(address: string): boolean {
    const same = [...this.#underWay].filter((answer) => answer.address === address);
    if (same.length >= MAX_SCRAPES_PER_ADDRESS) return this.#spare(same[0]);
    const [oldest] = this.#underWay;
    return this.#underWay.size < MAX_SCRAPES || this.#spare(oldest);
  }

  /** Ends a scrape in favour of a new one, unless it has only begun. */
  #spare(answer: OpenAnswer): boolean {
    if (this.#elapsed() - answer.startedAtMs < MIN_SCRAPE_MS) return false;
    this.#underWay.delete(answer);
    answer.cut('scrape_limit');
    return true;
  }
}
