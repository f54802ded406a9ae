/** A set of validated data as large as the RPKI may become, as a validator's JSON and as what an RTR cache says. */

/** A quarter of the VRPs is IPv6, as in the world. */
export const VRPS = 1_000_000;
export const ASPAS = 20_000;
const PROVIDERS = 5;
const VRPS_A_PART = 1_000;

/** The VRP of this number: each has a prefix of its own. */
function vrp(number: number): { readonly isIpv6: boolean; readonly address: number; readonly asn: number } {
  const isIpv6 = number % 4 === 3;
  // An odd number times whatever is different bits for different numbers: validators sort by text, not by prefix.
  const address = (Math.imul(number, 0x9e3779b1) >>> 8) << 8;
  return { isIpv6, address: address >>> 0, asn: 1 + ((number * 7_919) % 400_000) };
}

function customer(number: number): { readonly asn: number; readonly providers: readonly number[] } {
  const asn = 1 + number * 17;
  return { asn, providers: Array.from({ length: PROVIDERS }, (_, i) => 1 + ((asn * 31 + i * 1_009) % 400_000)) };
}

/** The form of rpki-client, which carries most: 100 bytes a VRP. */
export function jsonParts(): Buffer[] {
  const parts = ['{"metadata":{"generated":1767225600},"roas":[\n'];
  for (let from = 0; from < VRPS; from += VRPS_A_PART) {
    const lines: string[] = [];
    for (let i = from; i < from + VRPS_A_PART; i++) {
      const { isIpv6, address, asn } = vrp(i);
      const [high, low] = [(address >>> 16).toString(16), (address & 0xffff).toString(16)];
      const prefix = isIpv6
        ? `2001:${high}:${low}::/48`
        : `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.0/24`;
      lines.push(
        `{ "asn": ${asn}, "prefix": "${prefix}", "maxLength": ${isIpv6 ? 48 : 24}, "ta": "ripe", "expires": 4000000000 }`,
      );
    }
    parts.push(`${from === 0 ? '' : ',\n'}${lines.join(',\n')}`);
  }
  const aspas = Array.from({ length: ASPAS }, (_, i) => {
    const { asn, providers } = customer(i);
    return `{ "customer_asid": ${asn}, "expires": 4000000000, "providers": [${providers.join(', ')}] }`;
  });
  parts.push(`\n],"aspas":[${aspas.join(',\n')}]}`);
  return parts.map((part) => Buffer.from(part));
}

/** Version 2, from Cache Response to End of Data. */
export function rtrParts(): Buffer[] {
  const session = 7;
  const parts = [Buffer.from([2, 3, 0, session, 0, 0, 0, 8])];
  for (let from = 0; from < VRPS; from += VRPS_A_PART) {
    const pdus: Buffer[] = [];
    for (let i = from; i < from + VRPS_A_PART; i++) {
      const { isIpv6, address, asn } = vrp(i);
      const pdu = Buffer.alloc(isIpv6 ? 32 : 20);
      pdu.set([2, isIpv6 ? 6 : 4, 0, 0, 0, 0, 0, pdu.length, 1, isIpv6 ? 48 : 24, isIpv6 ? 48 : 24]);
      if (isIpv6) {
        pdu.writeUInt32BE((0x2001_0000 | (address >>> 16)) >>> 0, 12);
        pdu.writeUInt32BE((address << 16) >>> 0, 16);
      } else {
        pdu.writeUInt32BE(address, 12);
      }
      pdu.writeUInt32BE(asn, pdu.length - 4);
      pdus.push(pdu);
    }
    parts.push(Buffer.concat(pdus));
  }
  for (let i = 0; i < ASPAS; i++) {
    const { asn, providers } = customer(i);
    const pdu = Buffer.alloc(12 + 4 * providers.length);
    pdu.set([2, 11, 1, 0, 0, 0, 0, pdu.length]);
    pdu.writeUInt32BE(asn, 8);
    for (const [at, provider] of [...providers].sort((a, b) => a - b).entries())
      pdu.writeUInt32BE(provider, 12 + 4 * at);
    parts.push(pdu);
  }
  const end = Buffer.from([2, 7, 0, session, 0, 0, 0, 24, 0, 0, 0, 1, 0, 0, 14, 16, 0, 0, 2, 88, 0, 0, 28, 32]);
  return [...parts, end];
}
