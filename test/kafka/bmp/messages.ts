/** BGP and BMP messages as bytes, written for tests from the RFCs; shares no code with the decoder. */

/** Bytes of hexadecimal digits; blanks are for the reader. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

export function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

export function u32(value: number): Buffer {
  return Buffer.from([value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]);
}

/** 4 or 16 bytes. */
export function address(text: string): Buffer {
  if (!text.includes(':')) return Buffer.from(text.split('.').map(Number));
  const [head, tail] = text.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const groups =
    tail === undefined ? head : [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return Buffer.concat(groups.map((group) => u16(Number.parseInt(group, 16))));
}

/** `192.0.2.0/24` as NLRI; with `#7` behind it a path identifier comes first. */
export function nlri(...prefixes: readonly string[]): Buffer {
  return Buffer.concat(
    prefixes.map((text) => {
      const [prefix, pathId] = text.split('#');
      const [network, length] = prefix.split('/');
      const bytes = address(network).subarray(0, Math.ceil(Number(length) / 8));
      return Buffer.concat([
        pathId === undefined ? Buffer.alloc(0) : u32(Number(pathId)),
        Buffer.from([Number(length)]),
        bytes,
      ]);
    }),
  );
}

/** A path attribute; one of 256 bytes or more has an extended length. */
export function attribute(type: number, value: Buffer, flags = 0x40): Buffer {
  return value.length > 255
    ? Buffer.concat([Buffer.from([flags | 0x10, type]), u16(value.length), value])
    : Buffer.concat([Buffer.from([flags, type, value.length]), value]);
}

/** An AS_PATH of one sequence. */
export function sequence(ases: readonly number[], asBytes: 2 | 4 = 4): Buffer {
  return Buffer.concat([Buffer.from([2, ases.length]), ...ases.map((asn) => (asBytes === 4 ? u32(asn) : u16(asn)))]);
}

export interface Update {
  readonly withdrawn?: Buffer;
  readonly attributes?: readonly Buffer[];
  readonly announced?: Buffer;
}

export function update({ withdrawn = Buffer.alloc(0), attributes = [], announced = Buffer.alloc(0) }: Update): Buffer {
  const all = Buffer.concat(attributes);
  return bgp(2, Buffer.concat([u16(withdrawn.length), withdrawn, u16(all.length), all, announced]));
}

/** An announcement over IPv4 with the usual attributes. */
export function announce(prefixes: readonly string[], path: readonly number[], nextHop = '192.0.2.1'): Buffer {
  return update({
    attributes: [attribute(1, hex('00')), attribute(2, sequence(path)), attribute(3, address(nextHop))],
    announced: nlri(...prefixes),
  });
}

export function withdraw(...prefixes: readonly string[]): Buffer {
  return update({ withdrawn: nlri(...prefixes) });
}

function bgp(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(16, 0xff), u16(19 + body.length), Buffer.from([type]), body]);
}

/** An OPEN with these capabilities, each `code, length, value`. */
export function open(asn: number, ...capabilities: readonly Buffer[]): Buffer {
  const all = Buffer.concat(capabilities);
  const parameters = all.length === 0 ? all : Buffer.concat([Buffer.from([2, all.length]), all]);
  const fixed = Buffer.concat([Buffer.from([4]), u16(Math.min(asn, 23_456)), u16(180), address('192.0.2.9')]);
  return bgp(1, Buffer.concat([fixed, Buffer.from([parameters.length]), parameters]));
}

/** The ADD-PATH capability (RFC 7911): 1 receives, 2 sends, 3 both. */
export function addPath(afi: 1 | 2, what: 1 | 2 | 3): Buffer {
  return Buffer.concat([Buffer.from([69, 4]), u16(afi), Buffer.from([1, what])]);
}

export interface PeerHeader {
  readonly type?: number;
  readonly flags?: number;
  readonly ip?: string;
  readonly asn?: number;
  readonly seconds?: number;
  readonly micros?: number;
}

export const PEER = { ip: '192.0.2.1', asn: 64_501 } as const;

/** 42 bytes. */
export function peerHeader({
  type = 0,
  flags = 0,
  ip = PEER.ip,
  asn = PEER.asn,
  seconds = 0,
  micros = 0,
}: PeerHeader): Buffer {
  const isIpv6 = ip.includes(':');
  const bytes = isIpv6 ? address(ip) : Buffer.concat([Buffer.alloc(12), address(ip)]);
  const head = Buffer.concat([Buffer.from([type, flags | (isIpv6 ? 0x80 : 0)]), Buffer.alloc(8), bytes]);
  return Buffer.concat([head, u32(asn), address('192.0.2.9'), u32(seconds), u32(micros)]);
}

/** A BMP message of a type. */
export function bmp(type: number, ...body: readonly Buffer[]): Buffer {
  const all = Buffer.concat(body);
  return Buffer.concat([Buffer.from([3]), u32(6 + all.length), Buffer.from([type]), all]);
}

export function routeMonitoring(peer: PeerHeader, message: Buffer): Buffer {
  return bmp(0, peerHeader(peer), message);
}

export function peerDown(peer: PeerHeader, reason = 4): Buffer {
  return bmp(2, peerHeader(peer), Buffer.from([reason]));
}

export function peerUp(peer: PeerHeader, sent = open(65_000), received = open(64_501)): Buffer {
  return bmp(3, peerHeader(peer), Buffer.alloc(16), u16(179), u16(12_345), sent, received);
}

/** The binary header of OpenBMP 1.7 before a BMP message. */
export function openBmp(message: Buffer, { router = 'router-0', object = 12 } = {}): Buffer {
  const [name, group] = [Buffer.from('bmp-01'), Buffer.from('linx')];
  const hash = Buffer.alloc(16, router);
  const head = [Buffer.from('OBMP'), Buffer.from([1, 7]), u16(78 + name.length + group.length), u32(message.length)];
  const times = [Buffer.from([0x80, object]), u32(1_700_000_000), u32(0), Buffer.alloc(16, 1)];
  const texts = [u16(name.length), name, hash, Buffer.alloc(16), u16(group.length), group, u32(1)];
  return Buffer.concat([...head, ...times, ...texts, message]);
}
