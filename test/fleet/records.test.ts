/** Records of the topic of events: what is written is read, and nothing else is. */
import { describe, expect, it } from 'vitest';
import {
  type Control,
  decodeRecord,
  encodeControl,
  encodeMessages,
  RECORD_VERSION,
  type RecordHead,
} from '../../src/fleet/records.ts';

const HEAD: RecordHead = { term: 7, sequence: 4_294_967_297, atMs: 1_790_000_000_123 };
const BGP = { protocol: 'bgp', asn: 64_500, ip: '192.0.2.1' } as const;
const BMP = { protocol: 'bmp', asn: 64_501, ip: '2001:db8::1', parent: { asn: 64_502, ip: '192.0.2.9' } } as const;
const route = { vp: BMP, prefix: '192.0.2.0/24', asPath: '64501 {64503,64504}' };

const CONTROLS: readonly Control[] = [
  { type: 'start' },
  { type: 'watermark', up: true, clockOffsetMs: -3_000 },
  { type: 'gap', prefixes: ['192.0.2.0/24', '2001:db8::/32'] },
  { type: 'complete', prefixes: ['192.0.2.0/24'] },
  { type: 'peer', vp: BMP, up: false, timeUs: 1_790_000_000_000_000 },
  {
    ...{ type: 'vps', part: 0, parts: 2 },
    vps: [
      {
        id: '1',
        vp: BGP,
        status: 'up',
        ribSizeV4: 900_000,
        ribSizeV6: undefined,
        country: 'NL',
        orgCountry: '',
        source: 'ris',
      },
    ],
  },
  {
    ...{
      type: 'rib',
      reading: 3,
      part: 1,
      atMs: 1_790_000_000_000,
      prefixes: ['192.0.2.0/24'],
      last: true,
      asked: [BGP, BMP],
    },
    inside: [
      { of: '192.0.2.0/24', prefixes: ['192.0.2.0/25', '192.0.2.128/26'] },
      { of: '2001:db8::/32', prefixes: [] },
    ],
    rows: [route, { ...route, vp: BGP, asPath: '' }],
  },
  {
    type: 'updates',
    heardFromMs: 1_790_000_000_500,
    rows: [
      { ...route, kind: 'A', timeUs: 5 },
      { ...route, asPath: '', kind: 'W', timeUs: 6 },
    ],
  },
  { type: 'holders', prefixes: [], rows: [route], last: false },
];

describe('records of the fleet', () => {
  it.each(CONTROLS.map((control) => [control.type, control] as const))('%s comes back as it was', (_, control) => {
    expect(decodeRecord(encodeControl(HEAD, control))).toEqual({ ...HEAD, kind: 'control', control });
  });

  it('messages come back as they were, an empty one too', () => {
    const messages = ['{"record_type":"update"}', '', 'x'.repeat(70_000)].map((text) => Buffer.from(text));
    const read = decodeRecord(encodeMessages(HEAD, messages));
    expect(read).toEqual({ ...HEAD, kind: 'messages', messages });
  });

  it('what is cut off, changed or of another version is no record, and throws nothing', () => {
    const valid = [
      encodeMessages(HEAD, [Buffer.from('{"a":1}'), Buffer.from('b')]),
      ...CONTROLS.map((one) => encodeControl(HEAD, one)),
    ];
    let seed = 1;
    const random = (below: number) => {
      seed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
      return (seed >>> 0) % below;
    };
    for (const bytes of valid) {
      for (let cut = 0; cut < Math.min(bytes.length, 22); cut++)
        expect(decodeRecord(bytes.subarray(0, cut))).toBeUndefined();
      if (bytes[0] === 2) expect(decodeRecord(bytes.subarray(0, bytes.length - 1))).toBeUndefined();
      for (let i = 0; i < 300; i++) {
        const changed = Buffer.from(bytes);
        changed[random(changed.length)] = random(256);
        const read = decodeRecord(changed); // must not throw
        if (read?.kind === 'control') expect(CONTROLS.some(({ type }) => type === read.control.type)).toBe(true);
      }
      const other = Buffer.from(bytes);
      other[1] = RECORD_VERSION + 1;
      expect(decodeRecord(other)).toBeUndefined();
    }
  });

  it.each([
    ['a prefix that is not canonical', { type: 'gap', prefixes: ['192.0.2.1/24'] }],
    [
      'a path that cannot be read',
      {
        ...CONTROLS[6],
        of: { vps: ['bgp 1_192.0.2.1'], prefixes: ['192.0.2.0/24'], paths: ['x'] },
        rows: [[0, 0, 0]],
        asked: [],
      },
    ],
    [
      'a row of a VP that is not there',
      { ...CONTROLS[8], of: { vps: [], prefixes: ['192.0.2.0/24'], paths: ['1'] }, rows: [[0, 0, 0]] },
    ],
    ...['length', '0', 'constructor', '__proto__', 0.5, -1, null, [0]].flatMap((place) =>
      [0, 1, 2].map((field): [string, object] => [
        `a row whose field ${field} is at ${JSON.stringify(place)}`,
        {
          ...CONTROLS[8],
          of: { vps: ['bgp 1_192.0.2.1'], prefixes: ['192.0.2.0/24'], paths: ['1'] },
          rows: [[0, 0, 0].with(field, place as number)],
        },
      ]),
    ),
    ['a clock that is years off', { type: 'watermark', up: true, clockOffsetMs: 1e300 }],
    ['a VP that cannot be read', { type: 'peer', vp: 'bgp 64500', up: true, timeUs: 1 }],
    [
      'a router on a BGP line too many',
      { type: 'peer', vp: 'bgp 1_192.0.2.1 2_192.0.2.2 3_192.0.2.3', up: true, timeUs: 1 },
    ],
    ['a part behind the last', { type: 'vps', part: 2, parts: 2, vps: [] }],
    ['an unknown type', { type: 'shutdown' }],
    ['no object', []],
  ])('%s is refused', (_, control) => {
    const bytes = encodeControl(HEAD, { type: 'start' });
    const text = Buffer.from(JSON.stringify(control));
    expect(decodeRecord(Buffer.concat([bytes.subarray(0, 22), text]))).toBeUndefined();
  });
});
