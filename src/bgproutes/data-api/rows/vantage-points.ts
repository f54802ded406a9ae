/**
 * Reads the list of VPs of the Data API, and what both kinds of answers have in common. Total: whatever the JSON holds, it
 * ends as records or as counts of what was skipped; only an answer that is not built as documented at all is undefined.
 */
import { parseAsn } from '../../../bgp/as-path.ts';
import { formatAddress, parseAddress } from '../../../bgp/prefix.ts';
import { PROTOCOLS, type Protocol, type Speaker } from '../../../bgp/vantage-point.ts';
import { VP_STATUSES, type VpStatus } from '../../../stream/history.ts';
import {
  UNREADABLE_REASONS,
  type Unreadable,
  type UnreadableReason,
  type VantagePointRecord,
  type VantagePointsAnswer,
} from '../types.ts';

export type Counts = Record<UnreadableReason, number>;
export type JsonObject = Readonly<Record<string, unknown>>;

export function noneUnreadable(): Counts {
  return Object.fromEntries(UNREADABLE_REASONS.map((reason) => [reason, 0])) as Counts;
}

/** The sum, for callers that go through many batches. */
export function addUnreadable(to: Counts, more: Unreadable): void {
  for (const reason of UNREADABLE_REASONS) to[reason] += more[reason];
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `data` of all endpoints: something under `bgp`, `bmp`, or both. */
export function isByProtocol(data: unknown): data is JsonObject {
  return isObject(data) && PROTOCOLS.some((protocol) => Object.hasOwn(data, protocol));
}

/** `data` of `/vantage_points`: `{"bgp": [VP…], "bmp": [VP…]}`. */
export function decodeVantagePoints(data: unknown): VantagePointsAnswer | undefined {
  if (!isByProtocol(data)) return undefined;
  const unreadable = noneUnreadable();
  const vantagePoints: VantagePointRecord[] = [];
  for (const protocol of PROTOCOLS) {
    const records = data[protocol] ?? [];
    if (!Array.isArray(records)) return undefined;
    for (const record of records as readonly unknown[]) {
      const vp = isObject(record) ? decodeVantagePoint(record, protocol) : 'shape';
      if (typeof vp === 'string') unreadable[vp]++;
      else vantagePoints.push(vp);
    }
  }
  return { vantagePoints, unreadable };
}

function decodeVantagePoint(record: JsonObject, protocol: Protocol): VantagePointRecord | UnreadableReason {
  const id = decodeId(record.id ?? record.unique_id);
  const speaker = decodeSpeaker(record.asn, record.ip);
  if (id === undefined || speaker === undefined) return 'vp';
  const bmp = isObject(record.bmp_info) ? record.bmp_info : {};
  const parent =
    protocol === 'bmp'
      ? decodeSpeaker(bmp.parent_asn ?? record.bmp_parent_asn, bmp.parent_ip ?? record.bmp_parent_ip)
      : undefined;
  if (protocol === 'bmp' && parent === undefined) return 'vp';
  const feedTypes = bmp.feed_types ?? record.bmp_feed_types;
  return {
    id,
    vp: parent === undefined ? { protocol, ...speaker } : { protocol, ...speaker, parent },
    source: text(record.source),
    status: decodeStatus(record.status),
    ribSizeV4: decodeSize(record.rib_size_v4),
    ribSizeV6: decodeSize(record.rib_size_v6),
    country: text(record.country),
    orgName: text(record.org_name),
    orgCountry: text(record.org_country),
    feedTypes: Array.isArray(feedTypes) ? feedTypes.flatMap(feedType) : [],
  };
}

/** A number, or a short word without what separates a list. */
function decodeId(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
  return typeof value === 'string' && /^[A-Za-z0-9_.:-]{1,64}$/.test(value) ? value : undefined;
}

function decodeSpeaker(asnValue: unknown, ipValue: unknown): Speaker | undefined {
  const asn = typeof asnValue === 'number' || typeof asnValue === 'string' ? parseAsn(String(asnValue)) : undefined;
  const words = typeof ipValue === 'string' && ipValue.length <= 45 ? parseAddress(ipValue) : undefined;
  return asn === undefined || words === undefined ? undefined : { asn, ip: formatAddress(words) };
}

function feedType(value: unknown): string[] {
  return typeof value === 'number' || typeof value === 'string' ? [String(value)] : [];
}

function decodeStatus(value: unknown): VpStatus {
  if (!isObject(value)) return statusOf(value);
  const statuses = Object.values(value).map(statusOf);
  for (const status of ['up', 'unknown', 'down', 'ignored'] as const) if (statuses.includes(status)) return status;
  return 'unknown';
}

function statusOf(value: unknown): VpStatus {
  const word = typeof value === 'string' ? value.toLowerCase() : '';
  return VP_STATUSES.find((status) => status === word) ?? 'unknown';
}

function decodeSize(value: unknown): number | undefined {
  const size = typeof value === 'string' && /^[0-9]{1,12}$/.test(value) ? Number(value) : value;
  return typeof size === 'number' && Number.isFinite(size) && size >= 0 ? size : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
