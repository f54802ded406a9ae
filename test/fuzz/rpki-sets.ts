/** Validated data of a foreign validator: however its bytes are cut, they say the same, and nothing wrong is kept. */
import assert from 'node:assert/strict';
import { VrpReader } from '../../src/rpki/json/vrp-reader.ts';
import { RpkiData } from '../../src/rpki/rpki-data.ts';
import { Conversation } from '../../src/rpki/rtr/conversation.ts';
import { RPKI_RESULTS } from '../../src/rpki/source-state.ts';
import { EVERYTHING, prefixOf } from '../rpki/vrp-world.ts';
import { mutatorOf } from './mutation.ts';
import { type FuzzTarget, runChecks } from './target.ts';

const JSON_SETS = [
  '{"metadata":{"generated":1767225600},"roas":[{"asn":"AS64500","prefix":"192.0.2.0/24","maxLength":24,"ta":"ripe"},{"asn":64501,"prefix":"2001:db8::/32","maxLength":48,"ta":"arin","expires":1767229200}],"aspas":[{"customer_asid":64500,"expires":1767229200,"providers":[64501,64502]}]}',
  '{"data":{"roas":[{"asn":0,"prefix":"192.0.2.0/25","maxPrefixLength":"25"}]}}',
  '{"roas":[{"prefix":"192.0.2.0/24","asn":"as64500","max_length":32,"source":[{"tal":"apnic"}]}],"aspa":{"64500":["AS64501"]}}',
  '{"locallyAddedAssertions":{"prefixAssertions":[{"asn":64500,"prefix":"192.0.2.0/24"}],"aspaAssertions":[{"customerAsn":64500,"providerAsns":[0]}]}}',
  '{"data":{"validating_roas":[{"origin":"64500","prefix":"192.0.2.0/24","max_length":24,"validity":"valid"}]},"time":"2026-01-01T00:00:00"}',
  '[{"asn":64500,"prefix":"192.0.2.0/24","maxLength":24}]',
].map((text) => Buffer.from(text));
const JSON_WORDS = [
  ...['{', '}', '[', ']', '"', ':', ',', '\\', '\\u0022', 'null', '-1', '1e400', '4294967296', '0.5', ' ', '\xff'],
  ...['"asn":', '"prefix":', '"maxLength":33', '"roas":[', '"aspas":', '"192.0.2.1/24"', '"::/0"', '{"a":'.repeat(40)],
];

/** Version 2, then 1: PDUs in hexadecimal. */
const ASPA = '020b0100000000140000fbf40000fbf50000fbf6';
const PDUS = (version: string) => ({
  response: `${version}03000700000008`,
  vrp4: `${version}0400000000001401181800c00002000000fbf4`,
  vrp6: `${version}06000000000020012030 0020010db8000000000000000000000000 0000fbf5`.replaceAll(' ', ''),
  gone4: `${version}0400000000001400181800c00002000000fbf4`,
  end: `${version}0700070000001800000005 00000e10 00000258 00001c20`.replaceAll(' ', ''),
  notify: `${version}0000070000000c00000006`,
  reset: `${version}08000000000008`,
  report: `${version}0a0002000000100000000000000000`,
});
const RTR_ANSWERS = (['02', '01', '00'] as const)
  .flatMap((version) => {
    const { response, vrp4, vrp6, gone4, end, notify, reset, report } = PDUS(version);
    const aspa = version === '02' ? ASPA : '';
    return [
      [response, vrp4, vrp6, aspa, end],
      [response, vrp4, vrp6, end, notify, response, gone4, end],
      [response, vrp4, end, notify, reset, response, vrp6, end],
      [response, end],
      [report],
    ];
  })
  .map((pdus) => Buffer.from(pdus.join(''), 'hex'));
const RTR_WORDS = [
  '\x02\x04',
  '\x02\x0b\x00\x00',
  '\x01\x06',
  '\x00\x00\x00\x14',
  '\xff\xff\xff\xff',
  '\x00\x00\x00\x00',
];

const ENDS = ['192.0.2.0/32', '192.0.2.255/32', '2001:db8::/128', '::/128'].map(prefixOf);

/** What is kept, in words. Throws when it is not what may be. */
function kept(data: RpkiData): unknown {
  assert.ok(data.total >= data.vrps.size);
  const vrps = ENDS.flatMap((end) => data.vrps.covering(end, 0));
  for (const { prefix, length, maxLength, asn } of vrps) {
    assert.equal(prefixOf(prefix).text, prefix);
    assert.equal(prefixOf(prefix).hadHostBits, false);
    assert.ok(maxLength >= length && maxLength <= (prefix.includes(':') ? 128 : 32), `${prefix}-${maxLength}`);
    assert.ok(Number.isInteger(asn) && asn >= 0 && asn <= 0xffff_ffff);
  }
  const aspas = [...data.aspas.customers].map((customer) => [customer, data.aspas.providers(customer) ?? []] as const);
  for (const [customer, providers] of aspas) {
    assert.notEqual(customer, 0);
    assert.deepEqual(
      providers,
      [...new Set(providers)].filter((asn) => asn !== 0).sort((a, b) => a - b),
    );
  }
  return [data.total, data.refused, [...data.perTrustAnchor], data.vrps.size, vrps, aspas];
}

/** The input in pieces of up to so many bytes. */
function pieces(input: Buffer, most: number): Buffer[] {
  return Array.from({ length: Math.ceil(input.length / most) }, (_, i) => input.subarray(i * most, (i + 1) * most));
}

function isJson(input: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input));
    return true;
  } catch {
    return false;
  }
}

function readJson(parts: readonly Buffer[]): readonly [string, number | undefined, unknown] {
  const reader = new VrpReader(new RpkiData(EVERYTHING, 1_767_225_600));
  for (const part of parts) if (!reader.push(part)) break;
  const { result, data, madeAtMs } = reader.end();
  return [result, madeAtMs, result === 'success' ? kept(data) : undefined];
}

function checkJson(input: Buffer, most: number): boolean {
  const whole = readJson([input]);
  assert.deepEqual(readJson(pieces(input, most)), whole);
  const [result] = whole;
  if (isJson(input)) assert.ok(result !== 'truncated' && result !== 'not_json', `JSON is called ${result}`);
  return result === 'success';
}

function hear(parts: readonly Buffer[]): readonly [number, unknown] {
  const said: unknown[] = [];
  let updates = 0;
  let endings = 0;
  const conversation = new Conversation(EVERYTHING, () => 1_767_225_600, {
    send: (bytes) => said.push(bytes.toString('hex')),
    updated: ({ data, timers }) => {
      updates++;
      assert.ok(data.total + data.aspas.size > 0, 'data of nothing');
      said.push(kept(data), timers);
    },
    cacheReset: () => said.push('reset'),
    ended: ({ result, reason }) => {
      endings++;
      assert.ok(RPKI_RESULTS.includes(result) && reason.length <= 300);
      said.push(result);
    },
  });
  conversation.opened();
  for (const part of parts) conversation.receive(part);
  conversation.closed('unavailable', 'end');
  assert.equal(endings, 1);
  return [updates, said];
}

function checkRtr(input: Buffer, most: number): boolean {
  const [updates, said] = hear([input]);
  // What a report quotes of a wrong PDU is what had come of it by then.
  const withoutQuotes = (all: unknown) =>
    (all as unknown[]).map((one) => (typeof one === 'string' && /^0[0-2]0a/.test(one) ? one.slice(0, 8) : one));
  const [cutUpdates, cutSaid] = hear(pieces(input, most));
  assert.deepEqual([cutUpdates, withoutQuotes(cutSaid)], [updates, withoutQuotes(said)]);
  return updates > 0;
}

function target(name: string, corpus: readonly Buffer[], words: readonly string[], check: typeof checkRtr): FuzzTarget {
  return {
    name,
    share: 40,
    run: (runs, seed) => {
      const mutator = mutatorOf(corpus, words, seed);
      return runChecks(
        runs,
        () => mutator.next(),
        (input) => check(input, 1 + Math.floor(mutator.random() * 40)),
      );
    },
  };
}

export const RPKI_TARGETS: readonly FuzzTarget[] = [
  target('rpki-json', JSON_SETS, JSON_WORDS, checkJson),
  target('rpki-rtr', RTR_ANSWERS, RTR_WORDS, checkRtr),
];
