import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_ROUTER, VpIndex } from '../../../src/table/store/vp-index.ts';
import { runs } from '../../support/property-runs.ts';
import { asWords, collidingTexts } from '../../support/text-words.ts';

const groups = collidingTexts();

const find = (index: VpIndex, router: number, text: string) => {
  const [words, at, length, hash] = asWords(text);
  return index.find(router, words, at, length, hash);
};
const add = (index: VpIndex, vp: number, router: number, text: string) => index.add(vp, router, text, asWords(text)[3]);
const remove = (index: VpIndex, vp: number, text: string) => index.delete(vp, asWords(text)[3]);

describe('the index of VPs by the bytes that spell them', () => {
  it('tells texts of one hash apart', () => {
    const [a, b] = groups[0];
    const index = new VpIndex();
    add(index, 3, NO_ROUTER, a);
    expect([find(index, NO_ROUTER, a), find(index, NO_ROUTER, b)]).toEqual([3, -1]);
    add(index, 4, NO_ROUTER, b);
    expect([find(index, NO_ROUTER, a), find(index, NO_ROUTER, b)]).toEqual([3, 4]);
    remove(index, 3, a);
    expect([find(index, NO_ROUTER, a), find(index, NO_ROUTER, b)]).toEqual([-1, 4]);
  });

  it('is a map from router and text, whatever is added and removed', () => {
    const keys = [-1, 0, 1].flatMap((router) =>
      [
        ...groups.flat().slice(0, 8),
        '64500_192.0.2.1',
        '64500_192.0.2.10',
        '4294967295_2001:db8:1111:2222:3333:4444:5555:6666',
      ].map((text) => ({ router, text })),
    );
    fc.assert(
      fc.property(fc.array(fc.nat(keys.length - 1), { maxLength: 200, size: 'max' }), (steps) => {
        const index = new VpIndex();
        const held = new Set<number>();
        for (const vp of steps) {
          const { router, text } = keys[vp];
          if (held.delete(vp)) remove(index, vp, text);
          else {
            held.add(vp);
            add(index, vp, router, text);
          }
        }
        for (const [vp, { router, text }] of keys.entries())
          expect(find(index, router, text)).toBe(held.has(vp) ? vp : -1);
      }),
      runs(150),
    );
  });

  it('grows past many thousand VPs and keeps each; reading ahead changes nothing', () => {
    const index = new VpIndex();
    const spelling = (vp: number) => `${64_500 + vp}_2001:db8:${vp.toString(16)}::1`;
    const hashes = Int32Array.from({ length: 64 }, (_, vp) => asWords(spelling(vp * 300))[3]);
    index.prefetch(hashes, 64);
    for (let vp = 0; vp < 20_000; vp++) add(index, vp, vp % 3 === 0 ? NO_ROUTER : vp % 7, spelling(vp));
    for (let vp = 0; vp < 20_000; vp += 2) remove(index, vp, spelling(vp));
    index.prefetch(hashes, 64);
    for (let vp = 0; vp < 20_000; vp++)
      expect(find(index, vp % 3 === 0 ? NO_ROUTER : vp % 7, spelling(vp))).toBe(vp % 2 === 0 ? -1 : vp);
  });

  it('leaves out what no bytes of the stream spell, and lets it go again', () => {
    const index = new VpIndex();
    for (const text of ['x'.repeat(57), '64500_\u{1F98A}']) {
      index.add(0, NO_ROUTER, text, 7);
      index.delete(0, 7);
      add(index, 0, NO_ROUTER, '64500_192.0.2.1');
      expect(find(index, NO_ROUTER, '64500_192.0.2.1')).toBe(0);
      remove(index, 0, '64500_192.0.2.1');
    }
    // The longest text that has room.
    add(index, 1, NO_ROUTER, 'y'.repeat(56));
    expect(find(index, NO_ROUTER, 'y'.repeat(56))).toBe(1);
  });
});
