/** Batches of Kafka records as RouteViews sends them: OpenBMP, one UPDATE each, of which few are about monitored prefixes. */
import { createRecordsBatch } from '@platformatic/kafka';

const TIME_S = 1_767_225_600;
const PEERS = 1_000;
const RECORDS_A_BATCH = 200;

/** Prefixes whose routes are in the batches, one message in a thousand. */
export const MONITORED: readonly string[] = Array.from({ length: 100 }, (_, i) => `192.0.${i}.0/24`);

function u16(value: number): number[] {
  return [value >>> 8, value & 0xff];
}

function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value & 0xffff)];
}

function attribute(type: number, ...value: number[]): number[] {
  return [0x40, type, value.length, ...value];
}

/** Four of five announce, with a path of five ASes and six communities; three of ten are of IPv6. */
function update(number: number, peerAsn: number): number[] {
  const isMonitored = number % 1_000 === 0;
  const isIpv6 = !isMonitored && number % 10 < 3;
  const prefixes = Array.from({ length: 1 + (number % 3) }, (_, i): number[] => {
    const part = (number * 3 + i) % 60_000;
    if (isIpv6) return [48, 0x2a, 0x0e, ...u16(part), ...u16(number % 0xffff)];
    return isMonitored ? [24, 192, 0, (number / 1_000 + i) % 100] : [24, 11 + (part % 150), ...u16(part)];
  }).flat();
  if (number % 5 === 4) {
    const unreach = attribute(15, 0, 2, 1, ...prefixes);
    return isIpv6 ? [...u16(0), ...u16(unreach.length), ...unreach] : [...u16(prefixes.length), ...prefixes, ...u16(0)];
  }
  const path = [6447, peerAsn, 3356, 1299, 100_000 + (number % 5_000)];
  const attributes = [
    ...attribute(1, 0),
    ...attribute(2, 2, path.length, ...path.flatMap(u32)),
    ...(isIpv6 ? attribute(14, 0, 2, 1, 16, ...Array<number>(16).fill(7), 0, ...prefixes) : attribute(3, 10, 0, 0, 1)),
    ...attribute(8, ...Array.from({ length: 6 }, (_, i) => [...u16(peerAsn & 0xffff), ...u16(number + i)]).flat()),
  ];
  return [...u16(0), ...u16(attributes.length), ...attributes, ...(isIpv6 ? [] : prefixes)];
}

function record(number: number): Buffer {
  const peer = number % PEERS;
  const peerAsn = 64_512 + peer;
  const body = update(number, peerAsn);
  const bgp = [...Array<number>(16).fill(0xff), ...u16(19 + body.length), 2, ...body];
  const header = [0, 0x40, ...Array<number>(20).fill(0), 10, 1, ...u16(peer), ...u32(peerAsn), ...u32(1)];
  const bmp = [
    3,
    ...u32(6 + header.length + 8 + bgp.length),
    0,
    ...header,
    ...u32(TIME_S + (number >> 12)),
    ...u32(number % 1_000_000),
    ...bgp,
  ];
  const name = [...Buffer.from('bmp-01')];
  const head = [...Buffer.from('OBMP'), 1, 7, ...u16(78 + 2 * name.length), ...u32(bmp.length), 0x80, 12];
  const middle = [...Array<number>(24).fill(1), ...u16(name.length), ...name, ...Array<number>(32).fill(2)];
  return Buffer.from([...head, ...middle, ...u16(name.length), ...name, ...u32(1), ...bmp]);
}

/** Batches as a broker gives them, and how many bytes their values have. */
export function recordBatches(messages: number): { readonly batches: readonly Buffer[]; readonly bytes: number } {
  const batches: Buffer[] = [];
  let bytes = 0;
  for (let from = 0; from < messages; from += RECORDS_A_BATCH) {
    const values = Array.from({ length: RECORDS_A_BATCH }, (_, i) => record(from + i));
    for (const value of values) bytes += value.length;
    const timestamp = BigInt(TIME_S * 1_000 + 5_000);
    batches.push(createRecordsBatch(values.map((value) => ({ topic: 't', value, timestamp }))).buffer);
  }
  return { batches, bytes };
}
