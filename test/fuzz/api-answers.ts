/** Answers of the Data API: read in pieces of any size they are what JSON.parse says, and no row is of what was not asked for. */
import assert from 'node:assert/strict';
import { parseAsPath } from '../../src/bgp/as-path.ts';
import { parsePrefix } from '../../src/bgp/prefix.ts';
import { ANSWER_BOUNDS } from '../../src/bgproutes/data-api/request.ts';
import type { Asked } from '../../src/bgproutes/data-api/rows/route-fields.ts';
import { ribAnswer, updatesAnswer } from '../../src/bgproutes/data-api/rows/rows.ts';
import { decodeVantagePoints } from '../../src/bgproutes/data-api/rows/vantage-points.ts';
import { type JsonParts, JsonReader } from '../../src/http/json-reader.ts';
import { mutatorOf } from './mutation.ts';
import { type Check, type FuzzTarget, runChecks } from './target.ts';

const PREFIXES = ['192.0.2.0/24', '2001:db8::/32'];
const VPS = [
  { id: '7', vp: { protocol: 'bgp', asn: 64_501, ip: '198.51.100.1' } },
  { id: 'x-8', vp: { protocol: 'bmp', asn: 64_502, ip: '2001:db8::2', parent: { asn: 64_503, ip: '198.51.100.3' } } },
] as const;
const ASKED: Asked = {
  vps: VPS.map((each) => ({ ...each, ribSizeV4: 900_000, ribSizeV6: undefined })) as unknown as Asked['vps'],
  prefixes: PREFIXES,
  match: 'more_specific',
  communities: true,
};

const envelope = (data: unknown, info: unknown = {}) => JSON.stringify({ seconds: 0.1, bytes: 9, info, data });
const LISTED = { id: 7, asn: 64_501, ip: '198.51.100.1', source: 'ris', status: 'up', rib_size_v4: 900_000 };
const ROUTE = ['64501 64500', '64500:1 64500:2:3', null, 'V', -1];
const CORPORA = {
  vantage_points: [
    envelope({ bgp: [LISTED, { ...LISTED, id: 'x', status: { 0: 'down' }, ip: '2001:db8::1' }], bmp: [] }),
    envelope({
      bgp: [],
      bmp: [{ ...LISTED, bmp_info: { parent_asn: '64503', parent_ip: '::1', feed_types: ['0', 1] } }],
    }),
  ],
  rib: [
    envelope({ bgp: { 7: { '192.0.2.0/24': ROUTE, '192.0.2.128/25': [ROUTE, ROUTE] } }, bmp: { 'x-8': {} } }),
    envelope(
      { bgp: {}, bmp: { 'x-8': { '2001:db8:1::/48': ['{64501,64502} 64500', '', 'D-I', 'I', 0] } } },
      { 7: 'down' },
    ),
  ],
  updates: [
    envelope({
      bgp: {
        7: [
          [1_700_000_000.5, 'A', '192.0.2.128/25', ...ROUTE],
          [1_700_000_001, 'W', '192.0.2.128/25', '', '', null, null, -1],
        ],
      },
    }),
    envelope({ bmp: { 'x-8': [['2026-01-01T00:00:00', 'W', '2001:db8:7::/48', '', '', null, null, 1]] }, bgp: {} }),
  ],
};
const WORDS = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\u0000',
    '\\ud800',
    'null',
    'true',
    '-1',
    '1e400',
    '1e21',
    '0.1',
    '{}',
    '[]',
    '[[',
    '""',
  ],
  ...[
    '"__proto__":',
    '"constructor":',
    '"data":',
    '"bgp":',
    '"bmp":',
    '"7":',
    '"id":',
    '"status":',
    '"A"',
    '"W"',
    '7258118400',
  ],
  ...[
    '"192.0.2.0/24"',
    '"192.0.2.1/32"',
    '"203.0.113.0/24"',
    '"2001:DB8::/32"',
    '"64500 64500"',
    '"{1,2}"',
    '\u00ff\u00fe',
    ' ',
    '\n',
  ],
];

type Endpoint = keyof typeof CORPORA;

/** By endpoint how an answer is read once: what takes its parts, and how many rows it had. */
interface Decoder {
  readonly parts?: JsonParts;
  readonly rowsOf: (data: unknown) => number;
}

const DECODERS: Readonly<Record<Endpoint, () => Decoder>> = {
  vantage_points: () => ({ rowsOf: vpsOf }),
  rib: () => {
    const answer = ribAnswer(ASKED);
    return { parts: answer, rowsOf: (data) => checkedRows(answer.decode(data)) };
  },
  updates: () => {
    const answer = updatesAnswer(ASKED);
    return { parts: answer, rowsOf: (data) => checkedRows(answer.decode(data)) };
  },
};

function vpsOf(data: unknown): number {
  const answer = decodeVantagePoints(data);
  for (const { id, vp, ribSizeV4 } of answer?.vantagePoints ?? []) {
    assert.ok(id !== '' && vp.asn >= 0 && vp.asn <= 4_294_967_295 && vp.ip.length <= 45);
    assert.ok(ribSizeV4 === undefined || ribSizeV4 >= 0);
  }
  return answer?.vantagePoints.length ?? 0;
}

function checkedRows(
  batches:
    | Iterable<{
        readonly rows: readonly { vp: object; prefix: string; asPath?: string; timeUs?: number; kind?: string }[];
      }>
    | undefined,
): number {
  let count = 0;
  for (const { rows } of batches ?? []) {
    for (const { vp, prefix, asPath, timeUs, kind } of rows) {
      count++;
      assert.ok(VPS.some((each) => each.vp.ip === (vp as { ip: string }).ip));
      assert.equal(parsePrefix(prefix)?.text, prefix);
      if (kind !== 'W') assert.notEqual(parseAsPath(asPath ?? ''), undefined);
      if (timeUs !== undefined) assert.ok(timeUs > 0 && timeUs <= 253_402_300_800_000_000); // the year 9999
    }
  }
  return count;
}

function target(endpoint: Endpoint): FuzzTarget {
  return {
    name: `Data API, ${endpoint}`,
    share: 100,
    run: (runs, seed) => {
      const mutator = mutatorOf(
        CORPORA[endpoint].map((text) => Buffer.from(text)),
        WORDS,
        seed,
      );
      /** In chunks and pieces of any size. */
      const readIn = (input: Buffer, parts?: JsonParts) => {
        const reader = new JsonReader(ANSWER_BOUNDS[endpoint], parts, 1 + Math.floor(mutator.random() * 40));
        for (let at = 0, size = 0; at < input.length; at += size) {
          size = 1 + Math.floor(mutator.random() * 200);
          reader.push(input.subarray(at, at + size));
        }
        return reader.end();
      };
      const check: Check = (input) => {
        const read = readIn(input);
        let whole: unknown;
        try {
          whole = JSON.parse(input.toString());
        } catch {
          assert.notEqual(read.kind, 'value');
          return false;
        }
        if (read.kind !== 'value') {
          assert.equal(read.kind, 'too_large');
          return false;
        }
        assert.equal(JSON.stringify(read.value), JSON.stringify(whole));
        const { parts, rowsOf } = DECODERS[endpoint]();
        const answer = parts === undefined ? read : readIn(input, parts);
        return answer.kind === 'value' && rowsOf((answer.value as { data?: unknown } | null)?.data) > 0;
      };
      return runChecks(runs, mutator.next, check);
    },
  };
}

export const API_TARGETS: readonly FuzzTarget[] = [target('vantage_points'), target('rib'), target('updates')];
