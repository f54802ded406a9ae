/**
 * A reader of BGP UPDATE messages (RFC 4271 section 4.3, RFC 4760, RFC 6793, RFC 1997), written only for the tests and
 * sharing no code with the exporter: what the bytes of a frame's `raw` say is what its JSON must decode to.
 */

export interface BgpUpdate {
  /** `address/length` with the address in a spelling of its own: `hex/length`. */
  readonly withdrawn: readonly string[];
  readonly announced: readonly string[];
  /** Hex of each next hop, 8 or 32 digits. */
  readonly nextHops: readonly string[];
  /** AS_SETs in braces, ascending. Undefined without the attribute. */
  readonly path: string | undefined;
  /** 0 IGP, 1 EGP, 2 INCOMPLETE. */
  readonly origin: number | undefined;
  readonly communities: readonly string[];
}

const [ORIGIN, AS_PATH, NEXT_HOP, COMMUNITIES, MP_REACH, MP_UNREACH, AS4_PATH] = [1, 2, 3, 8, 14, 15, 17];
const EXTENDED_LENGTH = 0x10;

/** @throws when the bytes are not one whole UPDATE */
export function readBgpUpdate(hex: string): BgpUpdate {
  const bytes = Buffer.from(hex, 'hex');
  if (bytes.length !== hex.length / 2) throw new Error('not hexadecimal');
  if (!bytes.subarray(0, 16).every((byte) => byte === 0xff)) throw new Error('no marker');
  if (bytes.readUInt16BE(16) !== bytes.length) throw new Error('wrong length');
  if (bytes[18] !== 2) throw new Error('not an UPDATE');
  const withdrawnEnd = 21 + bytes.readUInt16BE(19);
  const attributesEnd = withdrawnEnd + 2 + bytes.readUInt16BE(withdrawnEnd);
  const withdrawn = readPrefixes(bytes.subarray(21, withdrawnEnd), 4);
  const announced = readPrefixes(bytes.subarray(attributesEnd), 4);
  const nextHops: string[] = [];
  let communities: string[] = [];
  let [path, path4, origin]: [Buffer | undefined, Buffer | undefined, number | undefined] = [
    undefined,
    undefined,
    undefined,
  ];
  for (let at = withdrawnEnd + 2; at < attributesEnd; ) {
    const isLong = (bytes[at] & EXTENDED_LENGTH) !== 0;
    const from = at + (isLong ? 4 : 3);
    const value = bytes.subarray(from, from + (isLong ? bytes.readUInt16BE(at + 2) : bytes[at + 2]));
    switch (bytes[at + 1]) {
      case ORIGIN:
        origin = value[0];
        break;
      case AS_PATH:
        path = value;
        break;
      case AS4_PATH:
        path4 = value;
        break;
      case NEXT_HOP:
        if (announced.length > 0) nextHops.push(value.toString('hex'));
        break;
      case COMMUNITIES:
        communities = Array.from(
          { length: value.length / 4 },
          (_, i) => `${value.readUInt16BE(4 * i)}:${value.readUInt16BE(4 * i + 2)}`,
        );
        break;
      case MP_REACH: {
        const size = sizeOf(value);
        for (let hop = 0; hop < value[3]; hop += size) nextHops.push(value.toString('hex', 4 + hop, 4 + hop + size));
        announced.push(...readPrefixes(value.subarray(5 + value[3]), size));
        break;
      }
      case MP_UNREACH:
        withdrawn.push(...readPrefixes(value.subarray(3), sizeOf(value)));
    }
    at = from + value.length;
  }
  return { withdrawn, announced, nextHops, path: pathOf(path, path4), origin, communities };
}

/** Bytes of an address: of IPv4 (AFI 1) or IPv6 (AFI 2), unicast only. */
function sizeOf(value: Buffer): number {
  const [afi, safi] = [value.readUInt16BE(0), value[2]];
  if (safi !== 1 || (afi !== 1 && afi !== 2)) throw new Error(`AFI ${afi}, SAFI ${safi}`);
  return afi === 1 ? 4 : 16;
}

function readPrefixes(bytes: Buffer, size: number): string[] {
  const prefixes: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at];
    const count = Math.ceil(length / 8);
    if (count > size || at + 1 + count > bytes.length) throw new Error('a prefix is cut');
    const address = Buffer.alloc(size);
    bytes.copy(address, 0, at + 1, at + 1 + count);
    prefixes.push(`${address.toString('hex')}/${length}`);
    at += 1 + count;
  }
  return prefixes;
}

type Segment = { readonly isSet: boolean; readonly ases: readonly number[] };

/** Peers without four-byte ASes send two bytes an AS, and the rest in AS4_PATH (RFC 6793 section 4.2.3). */
function pathOf(path: Buffer | undefined, path4: Buffer | undefined): string | undefined {
  if (path === undefined) return undefined;
  const wide = readSegments(path, 4);
  const segments = wide ?? merged(readSegments(path, 2), path4 && readSegments(path4, 4));
  return segments
    .flatMap(({ isSet, ases }) =>
      isSet ? [`{${[...new Set(ases)].sort((a, b) => a - b).join(',')}}`] : ases.map(String),
    )
    .join(' ');
}

function readSegments(bytes: Buffer, size: number): Segment[] | undefined {
  const segments: Segment[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [type, count] = [bytes[at], bytes[at + 1]];
    if ((type !== 1 && type !== 2) || count === undefined || at + 2 + count * size > bytes.length) return undefined;
    const from = at + 2;
    segments.push({
      isSet: type === 1,
      ases: Array.from({ length: count }, (_, i) => bytes.readUIntBE(from + i * size, size)),
    });
    at = from + count * size;
  }
  return segments;
}

function merged(narrow: Segment[] | undefined, wide: Segment[] | undefined): Segment[] {
  if (narrow === undefined) throw new Error('an AS_PATH that cannot be read');
  if (wide === undefined) return narrow;
  if (narrow.some(({ isSet }) => isSet) || wide.some(({ isSet }) => isSet))
    throw new Error('AS_SETs with AS4_PATH are not read here');
  const [short, long] = [narrow, wide].map((segments) => segments.flatMap(({ ases }) => ases));
  return [{ isSet: false, ases: [...short.slice(0, short.length - long.length), ...long] }];
}
