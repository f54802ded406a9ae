/**
 * A stream of messages as ten monitored prefixes would have it: made up from a seed, or taken from a recording. It comes
 * as a block of WebSocket frames that can be sent again and again, each time with later times.
 *
 * The mix follows the recordings of ten prefixes that the project was built with: of 100 events 50 change a path, 28 other
 * attributes, 8 are withdrawals, 8 bring a route back, 6 repeat; every 25th path was never seen before; a message has 252
 * bytes.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export interface StreamShape {
  readonly vps: number;
  readonly prefixes: number;
  readonly origins: number;
  readonly messages: number;
  /** Share of messages that carry a second prefix of the same origin, where there is one. Default 0.2. */
  readonly pairShare?: number;
  /** Share of VPs that are heard over BMP. Default 0.1. */
  readonly bmpShare?: number;
  /** Default 1. */
  readonly seed?: number;
}

/** First time of a stream, Unix seconds: 2026-01-01. Every message is 100 microseconds after the one before. */
export const FIRST_SECOND = 1_767_225_600;
const MESSAGES_PER_SECOND = 9_000;
const TEXT_FRAME = 0x81;
/** Messages in a packet. */
const PACKET = 256;
/**
 * Of the routes that a VP has to an origin, the first two carry nearly all: in the recordings a change goes back to the
 * route before in 7 of 10 cases.
 */
const ROUTE_SHARES: readonly number[] = [0.45, 0.35, 0.1, 0.05, 0.03, 0.02];

/** A generator of uniform numbers from 0 to 1 (mulberry32): the same ones for the same seed, everywhere. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Canonical texts of the monitored prefixes of a made-up stream; a fifth is IPv6. */
export function prefixTexts(count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    i % 5 === 4 ? `2001:db8:${(i + 16).toString(16)}::/48` : `${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24`,
  );
}

/** The origin of the prefix at this place. */
export function originOf(prefix: number, origins: number): number {
  return 64_500 + (prefix % origins);
}

interface Speaker {
  readonly asn: number;
  readonly ip: string;
  readonly identity: string;
}

function speakerOf(vp: number, bmpShare: number): Speaker {
  const asn = 1_000 + ((vp * 7_919) % 400_000);
  const ip = vp % 4 === 3 ? `2001:7f8:${(vp + 4_096).toString(16)}::1` : `185.${(vp >> 8) & 255}.${vp & 255}.10`;
  const bmp = (vp % 100) / 100 < bmpShare;
  const speaker = `${asn}_${ip}`;
  return {
    asn,
    ip,
    identity: bmp
      ? `"record_type":"bmp_update","vp":"${asn}_185.255.${vp & 63}.1","bmp_peer":"${speaker}"`
      : `"record_type":"update","vp":"${speaker}"`,
  };
}

/** One of the paths that the VP has to the origin. `fresh` above 0 gives one that nobody had before. */
export function pathText(vpAsn: number, origin: number, variant: number, fresh = 0): string {
  const transit = [174, 3356, 1299, 6939, 2914, 3257][(vpAsn + variant) % 6];
  const regional = 30_000 + ((vpAsn * 31 + variant * 17) % 9_000);
  const upstream = 60_000 + ((origin * 3 + variant) % 4);
  const hops = [vpAsn, transit, ...(variant % 2 === 0 ? [] : [regional]), ...(fresh === 0 ? [] : [fresh]), upstream];
  return `${hops.join(' ')} ${variant % 3 === 2 ? `${origin} ${origin} ` : ''}${origin}`;
}

function attributesText(speaker: Speaker, variant: number, set: number): string {
  const count = 1 + ((speaker.asn + variant * 5 + set * 3) % 8);
  const communities = Array.from({ length: count }, (_, i) => `${speaker.asn % 65_536}:${1_000 + i * 137 + set}`);
  return `"communities":"${communities.join(' ')}","nexthop":"${speaker.ip}","origin":"IGP"`;
}

/** A message, split where its times go. */
interface Template {
  readonly head: string;
  readonly tail: string;
}

/** From 1 on; another one than `held`, by their shares. */
function anotherRoute(random: () => number, held: number): number {
  for (;;) {
    let rest = random();
    let route = 0;
    while (route < ROUTE_SHARES.length - 1 && rest >= ROUTE_SHARES[route]) rest -= ROUTE_SHARES[route++];
    if (route + 1 !== held) return route + 1;
  }
}

function* made({
  vps,
  prefixes,
  origins,
  messages,
  pairShare = 0.2,
  bmpShare = 0.1,
  seed = 1,
}: StreamShape): Generator<Template> {
  const random = randomFrom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const texts = prefixTexts(prefixes);
  /** By VP and prefix: the route held, 0 for none. All hold their first one, so that the mix does not depend on the size. */
  const held = new Uint8Array(vps * prefixes).fill(1);
  for (let i = 0; i < messages; i++) {
    const vp = below(vps);
    const speaker = speakerOf(vp, bmpShare);
    const first = below(prefixes);
    const second = random() < pairShare && first + origins < prefixes ? first + origins : first;
    const list = second === first ? texts[first] : `${texts[first]},${texts[second]}`;
    const head = `{${speaker.identity},"sec":`;
    const cell = vp * prefixes + first;
    const dice = random();
    if (held[cell] !== 0 && dice < 0.08) {
      held[cell] = 0;
      held[vp * prefixes + second] = 0;
      yield { head, tail: `,"withdraws":"${list}"}` };
      continue;
    }
    let route = held[cell];
    if (route === 0 || dice < 0.6) route = anotherRoute(random, route);
    held[cell] = route;
    held[vp * prefixes + second] = route;
    const set = dice >= 0.6 && dice < 0.9 ? below(4) : 0;
    const fresh = dice < 0.6 && random() < 0.08 ? 100_000 + below(300_000) : 0;
    const path = pathText(speaker.asn, originOf(first, origins), route, fresh);
    yield {
      head,
      tail: `,"prefixes":"${list}","as-path":"${path}",${attributesText(speaker, route, set)}}`,
    };
  }
}

/** Every VP announces its first route to every prefix. */
function* filling({ vps, prefixes, origins, bmpShare = 0.1 }: StreamShape): Generator<Template> {
  const texts = prefixTexts(prefixes);
  for (let vp = 0; vp < vps; vp++) {
    const speaker = speakerOf(vp, bmpShare);
    for (const [prefix, text] of texts.entries()) {
      const path = pathText(speaker.asn, originOf(prefix, origins), 1);
      yield {
        head: `{${speaker.identity},"sec":`,
        tail: `,"prefixes":"${text}","as-path":"${path}",${attributesText(speaker, 1, 0)}}`,
      };
    }
  }
}

function* recorded(lines: readonly string[]): Generator<Template> {
  for (const line of lines) {
    const { sec: _sec, Usec: _usec, ...message } = JSON.parse(line) as Record<string, unknown>;
    const text = JSON.stringify(message);
    // The times go where the service has them: after the speaker, which the recordings have first.
    const at = text.indexOf(',"prefixes":') === -1 ? text.indexOf(',"withdraws":') : text.indexOf(',"prefixes":');
    if (at !== -1) yield { head: `${text.slice(0, at)},"sec":`, tail: text.slice(at) };
  }
}

/** The part of each message that the service would send to a key with these prefixes. */
function associated(lines: readonly string[], prefixes: ReadonlySet<string>): string[] {
  const part = (list: unknown) =>
    typeof list === 'string'
      ? list
          .split(',')
          .filter((prefix) => prefixes.has(prefix))
          .join(',')
      : '';
  return lines.flatMap((line) => {
    const message = JSON.parse(line) as Record<string, unknown>;
    for (const key of ['prefixes', 'withdraws']) {
      if (key in message) message[key] = part(message[key]);
      if (message[key] === '') delete message[key];
    }
    return 'prefixes' in message || 'withdraws' in message ? [JSON.stringify(message)] : [];
  });
}

/** Lines of a recording (.jsonl, .jsonl.gz). */
export function readRecording(path: string): string[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text.split('\n').filter((line) => line !== '');
}

/** Messages as WebSocket frames, one after the other. */
export class MessageBlock {
  readonly count: number;
  /** Bytes of the payloads. */
  readonly payloadBytes: number;
  readonly #bytes: Buffer;
  /** By message: where its payload begins and ends, and where its second and microsecond stand. */
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #seconds: Int32Array;

  private constructor(templates: Iterable<Template>) {
    const parts: Buffer[] = [];
    const starts: number[] = [];
    const ends: number[] = [];
    const seconds: number[] = [];
    let at = 0;
    let payloadBytes = 0;
    for (const { head, tail } of templates) {
      const payload = Buffer.from(`${head}0000000000,"Usec":000000${tail}`, 'latin1');
      const header =
        payload.length < 126
          ? Buffer.from([TEXT_FRAME, payload.length])
          : Buffer.from([TEXT_FRAME, 126, payload.length >> 8, payload.length & 255]);
      parts.push(header, payload);
      starts.push(at + header.length);
      seconds.push(at + header.length + head.length);
      at += header.length + payload.length;
      ends.push(at);
      payloadBytes += payload.length;
    }
    this.#bytes = Buffer.concat(parts);
    this.#starts = Int32Array.from(starts);
    this.#ends = Int32Array.from(ends);
    this.#seconds = Int32Array.from(seconds);
    this.count = starts.length;
    this.payloadBytes = payloadBytes;
  }

  static make(shape: StreamShape): MessageBlock {
    return new MessageBlock(made(shape));
  }

  /** Every VP announces every prefix, once. */
  static fill(shape: Omit<StreamShape, 'messages'>): MessageBlock {
    return new MessageBlock(filling({ ...shape, messages: 0 }));
  }

  /** What a recording says of these prefixes, as often as `messages` needs it. */
  static fromRecording(path: string, messages: number, prefixes: readonly string[]): MessageBlock {
    const lines = associated(readRecording(path), new Set(prefixes));
    const all = Array.from({ length: Math.ceil(messages / lines.length) }, () => lines).flat();
    return new MessageBlock(recorded(all));
  }

  /** The frames with the times of this repetition (0, 1, …), in a buffer of their own. */
  frames(repetition: number): Buffer {
    return this.#part(repetition, 0, this.count);
  }

  /** The same in parts of about so many bytes, each made when it is asked for. */
  *parts(repetition: number, size: number): Generator<Buffer> {
    for (let from = 0, to = 0; from < this.count; from = to) {
      const begin = from === 0 ? 0 : this.#ends[from - 1];
      do to++;
      while (to < this.count && this.#ends[to] - begin <= size);
      yield this.#part(repetition, from, to);
    }
  }

  #part(repetition: number, from: number, to: number): Buffer {
    const begin = from === 0 ? 0 : this.#ends[from - 1];
    const bytes = Buffer.from(this.#bytes.subarray(begin, this.#ends[to - 1]));
    for (let i = from; i < to; i++) {
      const number = repetition * this.count + i;
      const at = this.#seconds[i] - begin;
      writeDigits(bytes, at, 10, FIRST_SECOND + Math.floor(number / MESSAGES_PER_SECOND));
      // From 100000 on: six digits without a leading zero, which JSON does not allow.
      writeDigits(bytes, at + 18, 6, 100_000 + (number % MESSAGES_PER_SECOND) * 100);
    }
    return bytes;
  }

  /** The payloads of `frames`, as a WebSocket library hands them on: slices of larger buffers. */
  payloads(repetition: number): Buffer[] {
    const bytes = this.frames(repetition);
    return Array.from(this.#starts, (start, i) => bytes.subarray(start, this.#ends[i]));
  }
}

/** As many payloads as a packet of 64 KiB brings from the socket. */
export function inPackets(payloads: readonly Buffer[]): Buffer[][] {
  const packets: Buffer[][] = [];
  for (let from = 0; from < payloads.length; from += PACKET) packets.push(payloads.slice(from, from + PACKET));
  return packets;
}

function writeDigits(bytes: Buffer, at: number, digits: number, value: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    bytes[i] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

/** The prefixes that a recording speaks of, most often named first. */
export function prefixesOf(path: string, most: number): string[] {
  const counts = new Map<string, number>();
  for (const line of readRecording(path)) {
    const { prefixes = '', withdraws = '' } = JSON.parse(line) as { prefixes?: string; withdraws?: string };
    for (const prefix of `${prefixes},${withdraws}`.split(',')) {
      if (prefix !== '') counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([prefix]) => prefix);
}
