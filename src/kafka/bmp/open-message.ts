/** What two OPEN messages agree on, as far as it tells how the UPDATEs behind them are to be read. */

/** Whether each prefix of a family has a path identifier before it (RFC 7911); undefined: nobody has said so yet. */
export interface PathIds {
  readonly ipv4: boolean | undefined;
  readonly ipv6: boolean | undefined;
}

/** No Peer Up was heard. */
export const PATH_IDS_UNKNOWN: PathIds = { ipv4: undefined, ipv6: undefined };

/** What the speaker of one OPEN may do with several routes a prefix, by family: a bit for receiving, one for sending. */
interface AddPath {
  ipv4: number;
  ipv6: number;
}

const [RECEIVE, SEND] = [1, 2];
const HEADER = 19;
const OPEN = 1;
const CAPABILITIES = 2;
const ADD_PATH = 69;
/** Length of the optional parameters that says: the real one has two octets (RFC 9072). */
const EXTENDED = 255;

/**
 * The families in which the peer sends several routes a prefix.
 * @param at where the OPEN that the router sent begins; the one that it received stands behind it
 * @param end of the BMP message
 * @returns undefined when the bytes are not two OPENs
 */
export function readPathIds(bytes: Buffer, at: number, end: number): PathIds | undefined {
  const sentEnd = openEnd(bytes, at, end);
  const sent = sentEnd === undefined ? undefined : readAddPath(bytes, at, sentEnd);
  if (sentEnd === undefined || sent === undefined) return undefined;
  const receivedEnd = openEnd(bytes, sentEnd, end);
  const received = receivedEnd === undefined ? undefined : readAddPath(bytes, sentEnd, receivedEnd);
  if (received === undefined) return undefined;
  const agreed = (mine: number, peers: number) => (mine & RECEIVE) !== 0 && (peers & SEND) !== 0;
  return { ipv4: agreed(sent.ipv4, received.ipv4), ipv6: agreed(sent.ipv6, received.ipv6) };
}

function openEnd(bytes: Buffer, at: number, end: number): number | undefined {
  if (at + HEADER + 10 > end || bytes[at + 18] !== OPEN) return undefined;
  const next = at + bytes.readUInt16BE(at + 16);
  return next >= at + HEADER + 10 && next <= end ? next : undefined;
}

/** Version 1, AS 2, hold time 2, identifier 4, length 1, then parameters. */
function readAddPath(bytes: Buffer, open: number, end: number): AddPath | undefined {
  const found: AddPath = { ipv4: 0, ipv6: 0 };
  let at = open + HEADER + 10;
  // The mark of RFC 9072 is the length 255 with a first parameter of type 255.
  const isExtended = bytes[at - 1] === EXTENDED && bytes[at] === EXTENDED && at + 3 <= end;
  const length = isExtended ? bytes.readUInt16BE(at + 1) : bytes[at - 1];
  if (isExtended) at += 3;
  if (at + length > end) return undefined;
  const last = at + length;
  const head = isExtended ? 3 : 2;
  while (at < last) {
    if (at + head > last) return undefined;
    const valueEnd = at + head + (isExtended ? bytes.readUInt16BE(at + 1) : bytes[at + 1]);
    if (valueEnd > last) return undefined;
    if (bytes[at] === CAPABILITIES && !readCapabilities(bytes, at + head, valueEnd, found)) return undefined;
    at = valueEnd;
  }
  return found;
}

function readCapabilities(bytes: Buffer, from: number, end: number, found: AddPath): boolean {
  for (let at = from; at < end; ) {
    const next = at + 2 + bytes[at + 1];
    if (!(next <= end)) return false;
    if (bytes[at] === ADD_PATH) {
      // AFI 2, SAFI 1, and what the speaker may do.
      for (let entry = at + 2; entry + 4 <= next; entry += 4) {
        if (bytes[entry + 2] !== 1) continue;
        const afi = bytes.readUInt16BE(entry);
        if (afi === 1) found.ipv4 = bytes[entry + 3];
        else if (afi === 2) found.ipv6 = bytes[entry + 3];
      }
    }
    at = next;
  }
  return true;
}
