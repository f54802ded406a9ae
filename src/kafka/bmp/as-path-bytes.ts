/** AS_PATH attributes as bytes (RFC 4271 section 4.3, RFC 5065, RFC 6793), to the text that `parseAsPath` reads. */

const [SET, SEQUENCE, CONFED_SEQUENCE, CONFED_SET] = [1, 2, 3, 4];

/** One segment: its type, and its ASes, nearest first. */
export interface Segment {
  readonly type: number;
  readonly ases: readonly number[];
}

/** The segments of an AS_PATH attribute; undefined when the bytes are not such an attribute. */
export function readSegments(bytes: Buffer, from: number, end: number, asBytes: 2 | 4): Segment[] | undefined {
  const segments: Segment[] = [];
  for (let at = from; at < end; ) {
    const type = bytes[at];
    const count = bytes[at + 1];
    const next = at + 2 + count * asBytes;
    // An empty segment is malformed (RFC 7606 section 7.2).
    if (type < SET || type > CONFED_SET || count === 0 || !(next <= end)) return undefined;
    const ases: number[] = [];
    for (let i = at + 2; i < next; i += asBytes)
      ases.push(asBytes === 4 ? bytes.readUInt32BE(i) : bytes.readUInt16BE(i));
    segments.push({ type, ases });
    at = next;
  }
  return segments;
}

/**
 * The whole path of a speaker that knows two octets only: AS4_PATH has the numbers that it could not write, and the ASes
 * before it come from AS_PATH (RFC 6793 section 4.2.3). An AS4_PATH that is longer than the AS_PATH does not count.
 */
export function mergeAs4(path: readonly Segment[], as4: readonly Segment[]): readonly Segment[] {
  // Confederation segments in an AS4_PATH are discarded (section 6).
  const tail = as4.filter(({ type }) => type === SET || type === SEQUENCE);
  let keep = pathLength(path) - pathLength(tail);
  if (keep < 0 || tail.length === 0) return path;
  const merged: Segment[] = [];
  for (const { type, ases } of path) {
    if (type === CONFED_SEQUENCE || type === CONFED_SET) {
      // After the part that is replaced, the place of a confederation segment is not known.
      if (keep > 0 || merged.every((one) => one.type >= CONFED_SEQUENCE)) merged.push({ type, ases });
    } else if (keep > 0) {
      const taken = type === SET ? ases : ases.slice(0, keep);
      merged.push({ type, ases: taken });
      keep -= type === SET ? 1 : taken.length;
    }
  }
  return [...merged, ...tail];
}

/** A set counts as one AS, a confederation as none. */
function pathLength(segments: readonly Segment[]): number {
  return segments.reduce((sum, { type, ases }) => sum + (type === SEQUENCE ? ases.length : type === SET ? 1 : 0), 0);
}

/**
 * The same without the AS of a route collector, which some collectors put before the path that they heard: the first AS goes
 * when the second is the peer's and the first is not.
 */
export function withoutCollector(segments: readonly Segment[], peerAsn: number): readonly Segment[] {
  const [first, ...rest] = segments;
  if (first === undefined || first.type !== SEQUENCE) return segments;
  const [own, ...ases] = first.ases;
  const second = ases.length > 0 ? ases[0] : rest[0]?.type === SEQUENCE ? rest[0].ases[0] : undefined;
  if (own === peerAsn || second !== peerAsn) return segments;
  return ases.length === 0 ? rest : [{ type: SEQUENCE, ases }, ...rest];
}

/** Nearest AS first; sets in braces with distinct members ascending. */
export function pathText(segments: readonly Segment[]): string {
  const words: string[] = [];
  for (const { type, ases } of segments) {
    if (type === SEQUENCE) words.push(ases.join(' '));
    else if (type === CONFED_SEQUENCE) words.push(`(${ases.join(' ')})`);
    else {
      const members = [...new Set(ases)].sort((a, b) => a - b).join(',');
      words.push(type === SET ? `{${members}}` : `[${members}]`);
    }
  }
  return words.join(' ');
}
