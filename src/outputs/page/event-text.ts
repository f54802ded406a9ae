/** The text of an event, as bytes that all pages share: plain ones, and a part of a gzip stream (RFC 1952) without end. */
import { constants, deflateRawSync } from 'node:zlib';

/** What such a stream begins with: the method deflate, no flags, no time, an unknown system. */
export const GZIP_HEAD: Buffer = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/** Nothing in a part refers to what was sent before it, and each ends at a whole byte: every page can get the same one. */
const PACKING = { level: constants.Z_BEST_SPEED, finishFlush: constants.Z_SYNC_FLUSH };

export class EventText {
  readonly #text: string;
  #plain: Buffer | undefined;
  #packed: Buffer | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  get plain(): Buffer {
    this.#plain ??= Buffer.from(this.#text);
    return this.#plain;
  }

  get packed(): Buffer {
    this.#packed ??= deflateRawSync(this.plain, PACKING);
    return this.#packed;
  }
}
