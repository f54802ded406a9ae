/** Messages of the simulated Internet as RIS Live sends them. Only peers of RIS speak there. */
import type { SimulatedVantagePoint } from '../../internet/vantage-points.ts';
import type { StreamMessage } from '../bgproutes/stream-message.ts';

/** The collectors that the peers are spread over; the first is the one whose keep-alives clients ask for. */
const COLLECTORS = [0, 1, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 24, 25, 26] as const;

/** What a message says, read once for all clients. */
export interface RisFacts {
  readonly vp: SimulatedVantagePoint;
  readonly path: readonly (number | readonly number[])[];
  readonly community: readonly (readonly number[])[];
  readonly origin: string;
  readonly nextHop: string;
}

/** Whether RIS hears the VP. */
export function isRisPeer(vp: SimulatedVantagePoint): boolean {
  return vp.source === 'ris' && vp.protocol === 'bgp';
}

/** Number of the collector that hears the peer. */
export function collectorOf(vp: SimulatedVantagePoint): number {
  return COLLECTORS[vp.index % COLLECTORS.length];
}

export function twoDigits(collector: number): string {
  return String(collector).padStart(2, '0');
}

/** The fields that do not depend on the client. Undefined: not a message of a peer of RIS. */
export function risFacts(
  message: StreamMessage,
  peerOf: (asnAndIp: string) => SimulatedVantagePoint | undefined,
): RisFacts | undefined {
  const template = message.part(() => true);
  if (template === undefined) return undefined;
  const { head, middle, tail } = template;
  const text = middle === undefined || tail === undefined ? `${head}` : `${head}0${middle}0${tail}`;
  const fields = JSON.parse(text) as Readonly<Record<string, string>>;
  const vp = fields.record_type === 'update' ? peerOf(fields.vp) : undefined;
  if (vp === undefined || !isRisPeer(vp)) return undefined;
  return {
    vp,
    path: risPath(fields['as-path'] ?? ''),
    community: risCommunities(fields.communities ?? ''),
    origin: fields.origin ?? 'IGP',
    nextHop: fields.nexthop ?? vp.ip,
  };
}

/** AS_SETs as nested lists; confederation segments, which no peer of RIS should send, are left out. */
export function risPath(asPath: string): (number | number[])[] {
  const elements = asPath.match(/\{[^}]*\}|[0-9]+(?![^([]*[)\]])/g) ?? [];
  return elements.map((element) =>
    element.startsWith('{') ? element.slice(1, -1).split(/[ ,]+/).map(Number) : Number(element),
  );
}

/** Classic communities alone: RIS Live has no others in its JSON. */
export function risCommunities(communities: string): number[][] {
  return communities
    .split(' ')
    .filter((one) => /^[0-9]+:[0-9]+$/.test(one))
    .map((one) => one.split(':').map(Number));
}

export function risUpdate(
  facts: RisFacts,
  announced: readonly string[],
  withdrawn: readonly string[],
  timeUs: number,
): string {
  const announces = announced.length > 0;
  return risMessage(facts.vp, timeUs, {
    type: 'UPDATE',
    path: announces ? facts.path : [],
    community: announces ? facts.community : [],
    ...(announces ? { origin: facts.origin } : {}),
    announcements: announces ? [{ next_hop: facts.nextHop, prefixes: announced }] : [],
    withdrawals: withdrawn.map(expanded),
  });
}

export function risMessage(vp: SimulatedVantagePoint, timeUs: number, fields: object): string {
  const id = `${vp.ip}-${Math.round(timeUs).toString(16).padStart(16, '0')}`;
  const host = `rrc${twoDigits(collectorOf(vp))}.ripe.net`;
  const common = { timestamp: timeUs / 1_000_000, peer: vp.ip, peer_asn: String(vp.asn), id, host };
  return JSON.stringify({ type: 'ris_message', data: { ...common, ...fields } });
}

/** The service writes withdrawn IPv6 prefixes with all their groups: `2001:db8:0:0:0:0:0:0/32`. */
function expanded(prefix: string): string {
  const [address, length] = prefix.split('/');
  if (!address.includes('::') || address.includes('.')) return prefix;
  const [head, tail] = address.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const zeros = new Array<string>(8 - head.length - tail.length).fill('0');
  return `${[...head, ...zeros, ...tail].join(':')}/${length}`;
}
