import { hashText } from '../../src/table/store/text-index.ts';

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

/** Texts of which whole groups share one 32-bit hash, so that only comparing them tells them apart. */
export function collidingTexts(): string[][] {
  const byHash = new Map<number, string[]>();
  for (let i = 0; i < 300_000; i++) {
    const text = `${Math.imul(i, 0x9e3779b1) >>> 0} ${Math.imul(i + 77, 0x85ebca6b) >>> 0}`;
    const hash = hashText(text);
    const group = byHash.get(hash);
    if (group === undefined) byHash.set(hash, [text]);
    else group.push(text);
  }
  return [...byHash.values()].filter((group) => group.length > 1);
}
