import { hashText } from '../../src/table/text-index.ts';

/** A text in Latin-1 as a decoder asks for it: its words, not at their beginning, and what it says of it. */
export function asWords(text: string): [words: Int32Array, at: number, length: number, hash: number] {
  const before = 3;
  const bytes = new Uint8Array(4 * (before + Math.ceil(text.length / 4) + 2)).fill(0x5b);
  bytes.fill(0, 4 * before, 4 * (before + Math.ceil(text.length / 4)));
  bytes.set(Buffer.from(text, 'latin1'), 4 * before);
  const view = new DataView(bytes.buffer);
  const words = Int32Array.from({ length: bytes.length / 4 }, (_, i) => view.getInt32(4 * i, true));
  return [words, before, text.length, hashText(text)];
}
