import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAsPath } from '../../src/bgp/as-path.ts';
import { parsePrefix } from '../../src/bgp/prefix.ts';
import { decodeRisFrame, RIS_DECODE_FAILURES, type RisFrame, RisTexts } from '../../src/ris-live/message.ts';
import { runs } from '../support/property-runs.ts';
import { fixturePath, readLines } from '../support/recordings.ts';

const PEER = { timestamp: 1789019601.67, peer: '192.0.2.1', peer_asn: '64496', id: 'x', host: 'rrc01.ripe.net' };
const VP = { protocol: 'bgp', asn: 64496, ip: '192.0.2.1' };
const FIELDS = { vp: VP, timeUs: 1789019601_670_000, host: 'rrc01' };
const ROUTE = { path: [64496, 64500], announcements: [{ next_hop: '192.0.2.1', prefixes: ['203.0.113.0/24'] }] };

function message(data: object): RisFrame {
  return decodeRisFrame(JSON.stringify({ type: 'ris_message', data: { ...PEER, ...data } }));
}

function update(data: object): RisFrame {
  return message({ type: 'UPDATE', ...data });
}

describe('an UPDATE', () => {
  it('announces', () => {
    expect(update({ ...ROUTE, community: [[64496, 100]], origin: 'igp', withdrawals: [] })).toEqual({
      kind: 'routes',
      ...FIELDS,
      failures: [],
      updates: [
        {
          vp: VP,
          timeUs: FIELDS.timeUs,
          withdrawn: [],
          announced: ['203.0.113.0/24'],
          attributes: { asPath: '64496 64500', communities: '64496:100', nextHop: '192.0.2.1', originAttribute: 'IGP' },
        },
      ],
    });
  });

  it('withdraws, with IPv6 written out in full', () => {
    expect(update({ path: [], withdrawals: ['2605:de00:bb:0:0:0:0:0/48'] })).toMatchObject({
      kind: 'routes',
      updates: [{ withdrawn: ['2605:de00:bb::/48'], announced: [] }],
    });
  });

  it('does both: withdrawals stand in the first update', () => {
    const frame = update({
      path: [64496],
      withdrawals: ['198.51.100.0/24'],
      announcements: [
        { next_hop: '192.0.2.1', prefixes: ['203.0.113.0/25'] },
        { next_hop: '192.0.2.2', prefixes: ['203.0.113.128/25'] },
      ],
    });
    expect(frame).toMatchObject({
      updates: [
        { withdrawn: ['198.51.100.0/24'], announced: ['203.0.113.0/25'], attributes: { nextHop: '192.0.2.1' } },
        { withdrawn: [], announced: ['203.0.113.128/25'], attributes: { nextHop: '192.0.2.2' } },
      ],
    });
  });

  it('has two next hops in one text, or in two entries with the same prefixes', () => {
    const prefixes = ['2001:db8:1::/48', '2001:db8:2::/48'];
    const together = update({ path: [1], announcements: [{ next_hop: '2001:db8::1,fe80::1', prefixes }] });
    const apart = update({
      path: [1],
      announcements: [
        { next_hop: '2001:db8::1', prefixes },
        { next_hop: 'fe80::1', prefixes },
      ],
    });
    expect(apart).toEqual(together);
    expect(together).toMatchObject({
      updates: [{ announced: prefixes, attributes: { nextHop: '2001:db8::1,fe80::1' } }],
    });
  });

  it('announces a prefix once that different entries repeat', () => {
    const frame = update({
      path: [1],
      announcements: [
        { next_hop: '192.0.2.1', prefixes: ['203.0.113.0/25', '203.0.113.128/25'] },
        { next_hop: '192.0.2.2', prefixes: ['203.0.113.128/25', '198.51.100.0/24'] },
        { next_hop: '192.0.2.3', prefixes: ['203.0.113.0/25'] },
      ],
    });
    expect(frame).toMatchObject({
      updates: [{ announced: ['203.0.113.0/25', '203.0.113.128/25'] }, { announced: ['198.51.100.0/24'] }],
    });
  });

  it.each([
    ['numbers as text', ['64496', '64500'], '64496 64500'],
    ['an AS_SET of several', [64496, [64502, 64501, 64501]], '64496 {64501,64502}'],
    ['an AS_SET of one', [64496, [64500]], '64496 {64500}'],
    ['an AS_SET as text', [64496, '{64501,64502}'], '64496 {64501,64502}'],
    ['an AS_SET of texts in the middle', [64496, ['64501'], 64500], '64496 {64501} 64500'],
    ['AS numbers of 32 bits', [4294967295, 0], '4294967295 0'],
    ['nothing', [], ''],
  ])('has a path of %s', (_, path, text) => {
    expect(update({ ...ROUTE, path })).toMatchObject({ failures: [], updates: [{ attributes: { asPath: text } }] });
  });

  it.each([
    ['an AS above 32 bits', [4294967296]],
    ['a fraction', [1.5]],
    ['a negative number', [-1]],
    ['an empty set', [1, []]],
    ['a set in a set', [1, [[2]]]],
    ['a set of 256', [Array.from({ length: 256 }, (_, i) => i)]],
    ['words', ['AS64496']],
    ['two ASes in one text', ['1 2']],
    ['an object', [{}]],
    ['null', [null]],
    ['text instead of a list', '64496 64500'],
    ['more ASes than BGP carries', new Array(16_345).fill(1)],
    ['more ASes in sets than BGP carries', new Array(65).fill(new Array(255).fill(1))],
  ])('is refused with a path of %s, and its withdrawals are applied', (_, path) => {
    expect(update({ ...ROUTE, path })).toEqual({ kind: 'failed', reason: 'invalid_as_path' });
    expect(update({ ...ROUTE, path, withdrawals: ['10.0.0.0/8'] })).toMatchObject({
      failures: ['invalid_as_path'],
      updates: [{ withdrawn: ['10.0.0.0/8'], announced: [] }],
    });
  });

  it('without a path is refused', () => {
    expect(update({ announcements: ROUTE.announcements })).toEqual({ kind: 'failed', reason: 'missing_as_path' });
  });

  it('without routes marks the end of a table', () => {
    const quiet = { kind: 'quiet', ...FIELDS };
    expect(update({})).toEqual(quiet);
    expect(update({ path: [], community: [], announcements: [], withdrawals: [] })).toEqual(quiet);
    expect(update({ announcements: [{ next_hop: '192.0.2.1', prefixes: ['eor'] }] })).toEqual(quiet);
    expect(update({ path: [1], announcements: [] })).toEqual({ kind: 'failed', reason: 'no_prefix' });
  });

  it('keeps what can be read of a list, and tells the rest', () => {
    const announcements = [{ next_hop: '192.0.2.1', prefixes: ['203.0.113.0/24', '203.0.113.0/33', 7, 'eor'] }, 'x'];
    expect(update({ path: [1], announcements, withdrawals: ['10.0.0.0/8', null] })).toMatchObject({
      failures: ['invalid_prefix'],
      updates: [{ announced: ['203.0.113.0/24'], withdrawn: ['10.0.0.0/8'] }],
    });
    expect(update({ path: [1], announcements: {}, withdrawals: 'x' })).toEqual({
      kind: 'failed',
      reason: 'invalid_prefix',
    });
  });

  it('keeps a route whose next hop or communities cannot be read', () => {
    const announcements = [{ next_hop: 'x'.repeat(200), prefixes: ['203.0.113.0/24'] }];
    expect(update({ path: [1], announcements, community: [[1]] })).toMatchObject({
      failures: ['invalid_next_hop', 'invalid_communities'],
      updates: [{ announced: ['203.0.113.0/24'], attributes: { nextHop: '', communities: '' } }],
    });
  });

  it.each([
    ['IGP', 'IGP'],
    ['incomplete', 'INCOMPLETE'],
    ['Egp', ''],
    [undefined, ''],
    [0, ''],
    ['toString', ''],
  ])('has the ORIGIN %s', (origin, text) => {
    expect(update({ ...ROUTE, origin })).toMatchObject({ updates: [{ attributes: { originAttribute: text } }] });
  });
});

describe('what every message has', () => {
  it.each([
    ['a peer AS as a number', { peer_asn: 64496 }, {}],
    [
      'an address written out',
      { peer: '2001:db8:0:0:0:0:0:1' },
      { vp: { protocol: 'bgp', asn: 64496, ip: '2001:db8::1' } },
    ],
    ['a short name of the collector', { host: 'rrc21' }, { host: 'rrc21' }],
    ['no collector', { host: undefined }, { host: '' }],
    ['a collector that is none', { host: 'evil.example' }, { host: '' }],
    ['a time as text', { timestamp: '1789019601.67' }, {}],
    ['a whole second', { timestamp: 1789019601 }, { timeUs: 1789019601_000_000 }],
  ])('%s', (_, data, expected) => {
    expect(message({ type: 'KEEPALIVE', ...data })).toEqual({ kind: 'quiet', ...FIELDS, ...expected });
  });

  it.each([
    ['invalid_vp', { peer: 'x' }],
    ['invalid_vp', { peer: 7 }],
    ['invalid_vp', { peer_asn: 'AS1' }],
    ['invalid_vp', { peer_asn: 4294967296 }],
    ['invalid_time', { timestamp: -1 }],
    ['invalid_time', { timestamp: 1e12 }],
    ['invalid_time', { timestamp: undefined }],
    ['invalid_time', { timestamp: '1e9' }],
    ['unknown_record_type', { type: 'UPDATES' }],
    ['unknown_record_type', { type: 'constructor' }],
    ['unknown_record_type', { type: undefined }],
  ])('%s: %j', (reason, data) => {
    expect(message({ type: 'KEEPALIVE', ...data })).toEqual({ kind: 'failed', reason });
  });

  it('is one VP by its AS and its address, whatever was read before', () => {
    const texts = new RisTexts();
    for (const asn of [1, 2, 1]) {
      const frame = decodeRisFrame(
        JSON.stringify({ type: 'ris_message', data: { ...PEER, peer_asn: asn, type: 'KEEPALIVE' } }),
        texts,
      );
      expect(frame).toMatchObject({ vp: { asn, ip: '192.0.2.1' } });
    }
  });
});

describe('the state of a peer', () => {
  it.each([
    [
      { type: 'STATE', state: 'connected' },
      { kind: 'peer_state', up: true },
    ],
    [
      { type: 'STATE', state: 'up' },
      { kind: 'peer_state', up: true },
    ],
    [
      { type: 'RIS_PEER_STATE', state: 'down' },
      { kind: 'peer_state', up: false },
    ],
    [
      { type: 'STATE', state: 'idle' },
      { kind: 'failed', reason: 'invalid_peer_state' },
    ],
    [{ type: 'STATE' }, { kind: 'failed', reason: 'invalid_peer_state' }],
    [
      { type: 'NOTIFICATION', notification: { code: 6, subcode: 2, data: '' } },
      { kind: 'peer_state', up: false },
    ],
    [{ type: 'NOTIFICATION' }, { kind: 'peer_state', up: false }],
    // Of two connections that collide one is closed, and the other lives (RFC 4271 section 6.8).
    [{ type: 'NOTIFICATION', notification: { code: 6, subcode: 7 } }, { kind: 'quiet' }],
    [{ type: 'OPEN', direction: 'received' }, { kind: 'quiet' }],
  ])('%j', (data, expected) => {
    expect(message(data)).toMatchObject(expected);
  });
});

describe('what the service says of itself', () => {
  it.each<[string, RisFrame]>([
    ['{"type":"pong"}', { kind: 'pong' }],
    ['{"type":"pong","data":null}', { kind: 'pong' }],
    ['{"type":"ris_subscribe_ok","data":{"subscription":{}}}', { kind: 'subscribed' }],
    [
      '{"type":"ris_rrc_list","data":["rrc00","rrc21.ripe.net",7,"x"]}',
      { kind: 'collectors', names: ['rrc00', 'rrc21'] },
    ],
    ['{"type":"ris_rrc_list","data":null}', { kind: 'collectors', names: [] }],
    [
      '{"type":"ris_error","data":{"message":"Unknown command type","command_type":"wrong"}}',
      { kind: 'error', text: 'Unknown command type' },
    ],
    ['{"type":"ris_error","data":"no"}', { kind: 'error', text: 'no' }],
    ['{"type":"ris_error"}', { kind: 'error', text: '' }],
    ['{"type":"ris_message","data":null}', { kind: 'failed', reason: 'not_an_object' }],
    ['{"type":"ris_message","data":[]}', { kind: 'failed', reason: 'not_an_object' }],
    ['{"type":"news"}', { kind: 'failed', reason: 'unknown_record_type' }],
    ['{}', { kind: 'failed', reason: 'unknown_record_type' }],
    ['[]', { kind: 'failed', reason: 'not_an_object' }],
    ['null', { kind: 'failed', reason: 'not_an_object' }],
    ['', { kind: 'failed', reason: 'invalid_json' }],
    ['{"type":"ris_message"', { kind: 'failed', reason: 'invalid_json' }],
  ])('%s', (text, expected) => {
    expect(decodeRisFrame(text)).toEqual(expected);
    expect(decodeRisFrame(Buffer.from(text))).toEqual(expected);
  });

  it('is kept short', () => {
    const text = JSON.stringify({ type: 'ris_error', data: { message: 'x'.repeat(5_000) } });
    expect(decodeRisFrame(text)).toEqual({ kind: 'error', text: 'x'.repeat(300) });
  });
});

describe('more than one BGP message can carry', () => {
  const slash24s = (count: number) =>
    Array.from({ length: count }, (_, i) => `${10 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24`);
  const base = { type: 'UPDATE', peer: '192.0.2.1', peer_asn: '64500', timestamp: 1_700_000_000, host: 'rrc21' };
  const framed = (fields: object) =>
    decodeRisFrame(JSON.stringify({ type: 'ris_message', data: { ...base, ...fields } }));
  const announced = (prefixes: readonly string[], hops = ['192.0.2.1']) => ({
    path: [64_500],
    announcements: hops.map((hop) => ({ next_hop: hop, prefixes })),
  });
  const refused = { kind: 'failed', reason: 'too_large' };

  // A /24 takes 4 bytes, and there are 65,512.
  it('is refused, whichever list has it', () => {
    expect(framed(announced(slash24s(16_379)))).toEqual(refused);
    expect(framed({ withdrawals: slash24s(16_379) })).toEqual(refused);
    expect(framed({ ...announced(slash24s(8_190)), withdrawals: slash24s(8_190) })).toEqual(refused);
    expect(framed({ withdrawals: Array.from({ length: 22_179 }, () => 'x') })).toEqual(refused);
    expect(framed(announced(Array.from({ length: 22_179 }, () => '::/0')))).toEqual(refused);
    expect(framed({ community: '7'.repeat(524_288) })).toEqual(refused);
  });

  it('is not what one can: the largest is read, also when each of two next hops has the same prefixes', () => {
    expect(framed(announced(slash24s(16_378)))).toMatchObject({ kind: 'routes', failures: [] });
    const twice = framed(announced(slash24s(8_189), ['2001:db8::1', 'fe80::1']));
    expect(twice).toMatchObject({ kind: 'routes', updates: [{ attributes: { nextHop: '2001:db8::1,fe80::1' } }] });
  });
});

describe('whatever comes', () => {
  /** What a decoder may promise of any input: it does not throw, and what it gives is what the table takes. */
  function holds(input: string | Buffer, texts: RisTexts): void {
    const frame = decodeRisFrame(input, texts);
    expect(decodeRisFrame(input)).toEqual(frame);
    if (frame.kind === 'failed') expect(RIS_DECODE_FAILURES).toContain(frame.reason);
    if (frame.kind !== 'routes') return;
    expect(frame.updates.length).toBeGreaterThan(0);
    for (const reason of frame.failures) expect(RIS_DECODE_FAILURES).toContain(reason);
    for (const { announced, withdrawn, attributes, vp } of frame.updates) {
      expect(vp).toBe(frame.vp);
      expect(announced.length + withdrawn.length).toBeGreaterThan(0);
      for (const prefix of [...announced, ...withdrawn]) expect(parsePrefix(prefix)?.text).toBe(prefix);
      expect(attributes === undefined).toBe(announced.length === 0);
      if (attributes !== undefined) expect(parseAsPath(attributes.asPath)).toBeDefined();
    }
  }

  const lines = readLines(fixturePath('ris-live-frames.jsonl'));
  const values = lines.map((line) => JSON.parse(line) as object);

  it('holds for frames in which any value is another', () => {
    const texts = new RisTexts();
    const odd = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom(
        'eor',
        '',
        '0',
        '10.0.0.0/8',
        '::/0',
        '{1,2}',
        [[1, 2]],
        [{ prefixes: ['::/0'] }],
        '__proto__',
        -0,
      ),
    );
    const mutated = fc.tuple(fc.constantFrom(...values), fc.array(fc.tuple(fc.nat(), odd), { maxLength: 3 }));
    fc.assert(
      fc.property(mutated, ([value, changes]) => {
        const copy = structuredClone(value);
        for (const [pick, other] of changes) replaceOne(copy, pick, other);
        holds(JSON.stringify(copy), texts);
      }),
      runs(3_000),
    );
  });

  it('holds for frames that are cut or in which bytes are others, and for any bytes', () => {
    const texts = new RisTexts();
    const cut = fc.tuple(
      fc.constantFrom(...lines),
      fc.nat(),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), cut), (input) => {
        if (input instanceof Uint8Array) return holds(Buffer.from(input), texts);
        const [line, end, bytes] = input;
        const frame = Buffer.from(line);
        for (const [at, byte] of bytes) frame[at % frame.length] = byte;
        holds(end % 3 === 0 ? frame.subarray(0, end % frame.length) : frame, texts);
      }),
      runs(3_000),
    );
  });

  it('holds for a megabyte of brackets, and for a million texts that are not prefixes', () => {
    const texts = new RisTexts();
    holds('['.repeat(1 << 20), texts);
    holds(`{"type":${'{"type":'.repeat(100_000)}`, texts);
    holds(
      JSON.stringify({
        type: 'ris_message',
        data: { ...PEER, type: 'UPDATE', withdrawals: new Array(200_000).fill('x') },
      }),
      texts,
    );
  });
});

/** Replaces the value at one place of all that a JSON value has. */
function replaceOne(root: object, pick: number, other: unknown): void {
  const places: [Record<string, unknown>, string][] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) {
      places.push([value as Record<string, unknown>, key]);
      visit((value as Record<string, unknown>)[key]);
    }
  };
  visit(root);
  if (places.length === 0) return;
  const [holder, key] = places[pick % places.length];
  holder[key] = structuredClone(other);
}
