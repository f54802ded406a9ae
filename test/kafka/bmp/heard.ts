/** A decoder that was told its prefixes, and what it says as words. */
import { parsePrefix } from '../../../src/bgp/prefix.ts';
import type { PeerState, RouteUpdate } from '../../../src/bgp/route-event.ts';
import { vantagePointKey } from '../../../src/bgp/vantage-point.ts';
import { BmpDecoder } from '../../../src/kafka/bmp/decoder.ts';
import { PrefixFilter } from '../../../src/kafka/bmp/prefix-filter.ts';
import { recordFrame } from '../../../src/kafka/record-frame.ts';
import type { EventSink } from '../../../src/stream/frame-decoder.ts';

export const NOW = Date.UTC(2026, 0, 1);

export function filterOf(...prefixes: readonly string[]): PrefixFilter {
  const filter = new PrefixFilter();
  filter.set(
    prefixes.map((text) => {
      const prefix = parsePrefix(text);
      if (prefix === undefined) throw new Error(`not a prefix: ${text}`);
      return prefix;
    }),
  );
  return filter;
}

/** Everything that a decoder says, in order. */
export class Heard implements EventSink {
  readonly updates: RouteUpdate[] = [];
  readonly states: PeerState[] = [];
  readonly words: string[] = [];

  integers(): void {
    throw new Error('there is no fast way');
  }

  update(update: RouteUpdate): void {
    this.updates.push(update);
    const { vp, withdrawn, announced, attributes } = update;
    const lost = withdrawn.map((prefix) => ` -${prefix}`).join('');
    const got = announced.map((prefix) => ` +${prefix}`).join('');
    this.words.push(
      `${vantagePointKey(vp)}:${lost}${got}${attributes === undefined ? '' : ` by ${attributes.asPath}`}`,
    );
  }

  peerState(state: PeerState): void {
    this.states.push(state);
    this.words.push(`${vantagePointKey(state.vp)}: ${state.up ? 'up' : 'down'}`);
  }

  failed(reason: string): void {
    this.words.push(`failed ${reason}`);
  }

  unused(reason: string): void {
    // Most messages of these tests have no time of their own.
    if (reason !== 'record_time') this.words.push(`unused ${reason}`);
  }

  passed(messages: number, prefixes: number): void {
    this.words.push(`passed ${messages} ${prefixes}`);
  }

  general(): void {}
  remark(): void {}
}

/** A decoder that monitors 192.0.2.0/24 and 2001:db8::/32, and what it says of each record. */
export function listener({
  prefixes = ['192.0.2.0/24', '2001:db8::/32'],
  maxPeers = 100,
  maxRouteBytes = 100_000,
} = {}) {
  const decoder = new BmpDecoder({ filter: filterOf(...prefixes), maxPeers, maxRouteBytes });
  const hear = (value: Buffer, { channel = 0, atMs = NOW } = {}): Heard => {
    const heard = new Heard();
    decoder.decode([recordFrame(atMs, channel, value)], heard);
    return heard;
  };
  return { decoder, hear, words: (value: Buffer, where = {}) => hear(value, where).words };
}
