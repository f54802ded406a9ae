import { describe, expect, it } from 'vitest';
import { bmpHash } from '../../../src/bgp/route-integers.ts';
import type { VantagePoint } from '../../../src/bgp/vantage-point.ts';
import { VP_LIMIT, VpRegistry } from '../../../src/table/store/vp-registry.ts';
import { asWords } from '../../support/text-words.ts';

const bgp = (asn: number, ip: string): VantagePoint => ({ protocol: 'bgp', asn, ip });
const bmp = (asn: number, ip: string, parentAsn: number): VantagePoint => ({
  ...{ protocol: 'bmp', asn, ip },
  parent: { asn: parentAsn, ip: '192.0.2.9' },
});
const byWords = (vps: VpRegistry, text: string) => vps.findWords(...asWords(text));

/** The BMP VP of a peer and its router, found as a decoder does. */
function peerByWords(vps: VpRegistry, peer: string, router: string): number {
  const found = vps.findRouter(...asWords(router));
  const [words, at, length, hash] = asWords(peer);
  return found === -1 ? -1 : vps.findPeer(found, words, at, length, bmpHash(asWords(router)[3], hash));
}

describe('the vantage points heard of', () => {
  it('numbers each once, by protocol, ASN, IP and parent', () => {
    const vps = new VpRegistry(10);
    const all = [
      bgp(64500, '192.0.2.1'),
      bgp(64501, '192.0.2.1'),
      bgp(64500, '192.0.2.2'),
      bmp(64500, '192.0.2.1', 64498),
      bmp(64500, '192.0.2.1', 64499),
    ];
    const numbers = all.map((vp) => vps.add(vp));
    expect(new Set(numbers).size).toBe(5);
    expect(all.map((vp) => vps.add({ ...vp }))).toEqual(numbers);
    expect(all.map((vp) => vps.find(vp))).toEqual(numbers);
    expect(vps.size).toBe(5);
  });

  it('takes no more than its bound, and takes one again when one has left', () => {
    const vps = new VpRegistry(2);
    const first = vps.add(bgp(64500, '192.0.2.1'));
    vps.add(bgp(64501, '192.0.2.1'));
    expect(vps.add(bgp(64502, '192.0.2.1'))).toBe(VP_LIMIT);
    expect(vps.find(bgp(64502, '192.0.2.1'))).toBe(-1);
    expect(vps.size).toBe(2);
    vps.remove(first);
    expect(vps.add(bgp(64502, '192.0.2.1'))).toBe(first);
    expect(vps.find(bgp(64500, '192.0.2.1'))).toBe(-1);
  });

  it('gives a reused number nothing of the VP that had it', () => {
    const vps = new VpRegistry(2);
    const vp = vps.add(bgp(64500, '192.0.2.1'));
    for (const list of [vps.lastHeardMs, vps.cells, vps.down, vps.counted, vps.fullFeed]) list[vp] = 1;
    vps.remove(vp);
    expect(vps.get(vp)).toBeUndefined();
    expect(vps.add(bgp(64501, '192.0.2.1'))).toBe(vp);
    expect([vps.lastHeardMs[vp], vps.cells[vp], vps.down[vp], vps.counted[vp], vps.fullFeed[vp]]).toEqual([
      0, 0, 0, 0, 0,
    ]);
  });

  it('finds a BGP VP by the bytes of the stream while it is there, and never a BMP VP', () => {
    const vps = new VpRegistry(10);
    const vp = vps.add(bgp(64500, '2001:db8::1'));
    vps.add(bmp(64501, '192.0.2.1', 64498));
    expect(byWords(vps, '64500_2001:db8::1')).toBe(vp);
    expect(byWords(vps, '64501_192.0.2.1')).toBe(-1);
    vps.remove(vp);
    expect(byWords(vps, '64500_2001:db8::1')).toBe(-1);
  });

  it('finds a BMP VP by the bytes of its peer and its router while it is there, and only so', () => {
    const vps = new VpRegistry(10);
    const vp = vps.add(bmp(64501, '192.0.2.1', 64498));
    const other = vps.add(bmp(64502, '192.0.2.1', 64498));
    const elsewhere = vps.add(bmp(64501, '192.0.2.1', 64499));
    expect(peerByWords(vps, '64501_192.0.2.1', '64498_192.0.2.9')).toBe(vp);
    expect(peerByWords(vps, '64502_192.0.2.1', '64498_192.0.2.9')).toBe(other);
    expect(peerByWords(vps, '64501_192.0.2.1', '64499_192.0.2.9')).toBe(elsewhere);
    expect(peerByWords(vps, '64502_192.0.2.1', '64499_192.0.2.9')).toBe(-1);
    expect(peerByWords(vps, '64498_192.0.2.9', '64501_192.0.2.1')).toBe(-1);
    vps.remove(vp);
    expect(peerByWords(vps, '64501_192.0.2.1', '64498_192.0.2.9')).toBe(-1);
    expect(peerByWords(vps, '64502_192.0.2.1', '64498_192.0.2.9')).toBe(other);
    vps.remove(other);
    expect(peerByWords(vps, '64502_192.0.2.1', '64498_192.0.2.9')).toBe(-1);
    expect(peerByWords(vps, '64501_192.0.2.1', '64499_192.0.2.9')).toBe(elsewhere);
    // The number of a router that has no peer left goes to the next one.
    const next = vps.add(bmp(64503, '192.0.2.1', 64500));
    expect(peerByWords(vps, '64503_192.0.2.1', '64500_192.0.2.9')).toBe(next);
    expect(peerByWords(vps, '64501_192.0.2.1', '64500_192.0.2.9')).toBe(-1);
    expect(peerByWords(vps, '64501_192.0.2.1', '64499_192.0.2.9')).toBe(elsewhere);
  });

  it('forgets nobody twice', () => {
    const vps = new VpRegistry(10);
    const vp = vps.add(bgp(64500, '192.0.2.1'));
    vps.remove(vp);
    vps.remove(vp);
    expect(vps.add(bgp(64501, '192.0.2.1'))).toBe(vp);
    expect(vps.add(bgp(64502, '192.0.2.1'))).not.toBe(vp);
  });
});
