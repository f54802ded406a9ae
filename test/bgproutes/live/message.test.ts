import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAsPath } from '../../../src/bgp/as-path.ts';
import { parsePrefix } from '../../../src/bgp/prefix.ts';
import {
  DECODE_FAILURES,
  type DecodeResult,
  decodeMessage,
  decodeTime,
  decodeValue,
} from '../../../src/bgproutes/live/message.ts';
import { messageFacts } from '../../support/message-facts.ts';
import { runs } from '../../support/property-runs.ts';
import { fixturePath, readLines } from '../../support/recordings.ts';

const HEAD = { record_type: 'update', vp: '64500_192.0.2.1', sec: 1700000000, Usec: 0 };
/** Different prefixes, canonical. */
const slash24s = (count: number) => Array.from({ length: count }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
const facts = (message: unknown) => messageFacts(decodeMessage(JSON.stringify(message)));

describe('one whole frame', () => {
  it('an announcement', () => {
    expect(
      decodeMessage(
        '{"record_type":"update","vp":"64500_192.0.2.1","sec":1700000000,"Usec":250000,"prefixes":"198.51.100.0/24, 2001:DB8::/32","as-path":"64500 64496","communities":"64500:1","nexthop":"192.0.2.1","origin":"IGP"}',
      ),
    ).toEqual({
      ok: true,
      update: {
        vp: { protocol: 'bgp', asn: 64500, ip: '192.0.2.1' },
        timeUs: 1_700_000_000_250_000,
        withdrawn: [],
        announced: ['198.51.100.0/24', '2001:db8::/32'],
        attributes: { asPath: '64500 64496', communities: '64500:1', nextHop: '192.0.2.1', originAttribute: 'IGP' },
      },
      failures: [],
    });
  });

  it('a withdrawal has no attributes', () => {
    expect(
      decodeMessage(
        '{"record_type":"update","vp":"64500_192.0.2.1","sec":1700000000,"Usec":0,"withdraws":"198.51.100.0/24"}',
      ),
    ).toEqual({
      ok: true,
      update: {
        vp: { protocol: 'bgp', asn: 64500, ip: '192.0.2.1' },
        timeUs: 1_700_000_000_000_000,
        withdrawn: ['198.51.100.0/24'],
        announced: [],
      },
      failures: [],
    });
  });

  it('a BMP announcement: the peer is the VP, the monitored router its parent', () => {
    expect(
      decodeMessage(
        '{"record_type":"bmp_update","vp":"64500_192.0.2.1","bmp_peer":"64501_2001:db8::9","sec":1700000000,"prefixes":"198.51.100.0/24","as-path":"64501"}',
      ),
    ).toMatchObject({
      update: {
        vp: { protocol: 'bmp', asn: 64501, ip: '2001:db8::9', parent: { asn: 64500, ip: '192.0.2.1' } },
        attributes: { asPath: '64501', communities: '', nextHop: '', originAttribute: '' },
      },
    });
  });
});

describe('withdrawn prefixes under any key', () => {
  const keys = ['withdraws', 'withdrawn', 'withdrawals', 'withdrawn_prefixes', 'withdraw', 'withdrawn-prefixes'];

  it.each(keys)('%s, as text', (key) => {
    expect(facts({ ...HEAD, [key]: '198.51.100.0/24,2001:db8::/32' })).toMatchObject({
      withdrawn: ['198.51.100.0/24', '2001:db8::/32'],
      announced: [],
      failures: [],
    });
    expect(facts({ ...HEAD, [key]: '198.51.100.0/24' })).not.toHaveProperty('guessedKey');
  });

  it.each(keys)('%s, as an array', (key) => {
    expect(facts({ ...HEAD, [key]: ['198.51.100.0/24', ' 2001:db8::/32 '] })).toMatchObject({
      withdrawn: ['198.51.100.0/24', '2001:db8::/32'],
      failures: [],
    });
  });

  it('two known keys at once', () => {
    expect(facts({ ...HEAD, withdraws: '198.51.100.0/24', withdrawals: ['2001:db8::/32'] })).toMatchObject({
      withdrawn: ['198.51.100.0/24', '2001:db8::/32'],
    });
  });

  it.each([
    ['text', '198.51.100.0/24,203.0.113.0/24'],
    ['an array', ['198.51.100.0/24', '203.0.113.0/24']],
  ])('an undocumented key whose whole value is a list of prefixes, as %s', (_, value) => {
    expect(facts({ ...HEAD, gone: value })).toMatchObject({
      withdrawn: ['198.51.100.0/24', '203.0.113.0/24'],
      guessedKey: 'gone',
      failures: [],
    });
  });

  it.each([
    ['null', null],
    ['an empty text', ''],
    ['an empty array', []],
  ])('an undocumented key beside a known one that holds %s', (_, empty) => {
    expect(facts({ ...HEAD, withdraws: empty, gone: '198.51.100.0/24' })).toMatchObject({
      withdrawn: ['198.51.100.0/24'],
      guessedKey: 'gone',
    });
  });

  it('an undocumented key does not count beside a known one that holds prefixes', () => {
    const decoded = facts({ ...HEAD, withdraws: '198.51.100.0/24', gone: '203.0.113.0/24' });
    expect(decoded).toMatchObject({ withdrawn: ['198.51.100.0/24'] });
    expect(decoded).not.toHaveProperty('guessedKey');
  });

  it.each([
    ['a covering prefix', { covering_prefix: '198.51.0.0/16' }],
    ['ROAs', { roas: ['198.51.0.0/16'] }],
    ['an empty known key too', { withdraws: '', covering_prefix: '198.51.0.0/16' }],
  ])('an undocumented key in an announcement is no withdrawal: %s', (_, more) => {
    const decoded = facts({ ...HEAD, prefixes: '198.51.100.0/24', 'as-path': '64500', ...more });
    expect(decoded).toMatchObject({ announced: ['198.51.100.0/24'], withdrawn: [], failures: [] });
    expect(decoded).not.toHaveProperty('guessedKey');
  });

  it('the name of a guessed key is cut', () => {
    expect(facts({ ...HEAD, ['k'.repeat(500)]: '198.51.100.0/24' }).guessedKey).toBe('k'.repeat(40));
  });

  it.each([
    ['an address without a length', '198.51.100.1'],
    ['a list with one thing that is no prefix', '198.51.100.0/24,x'],
    ['text around a prefix', 'lost 198.51.100.0/24'],
    ['a number', 24],
    ['an object', { prefix: '198.51.100.0/24' }],
    ['an array of arrays', [['198.51.100.0/24']]],
    ['an empty text', ''],
    ['an empty array', []],
  ])('%s under an undocumented key is no withdrawal, and that is said', (_, value) => {
    expect(facts({ ...HEAD, other: value })).toEqual({
      reason: 'withdrawal_without_prefix',
      keys: ['record_type', 'vp', 'sec', 'Usec', 'other'],
    });
  });

  it('known keys are never guessed from, even when they look like prefixes', () => {
    expect(
      facts({ ...HEAD, communities: '198.51.100.0/24', nexthop: '203.0.113.0/24', origin: '192.0.2.0/24' }),
    ).toMatchObject({
      reason: 'withdrawal_without_prefix',
    });
  });

  it('names of keys are bounded in number and length, and values are never told', () => {
    const many = Object.fromEntries([...Array(100).keys()].map((i) => [`${'k'.repeat(60)}${i}`, 'secret']));
    const { keys } = facts({ ...HEAD, ...many });
    expect(keys).toHaveLength(32);
    expect(keys?.every((key) => key.length <= 40)).toBe(true);
    expect(JSON.stringify(keys)).not.toContain('secret');
  });
});

describe('announcement and withdrawal in one message', () => {
  const both = { ...HEAD, prefixes: '198.51.100.0/24', 'as-path': '64500', withdraws: '203.0.113.0/24' };

  it('both are read', () => {
    expect(facts(both)).toMatchObject({ announced: ['198.51.100.0/24'], withdrawn: ['203.0.113.0/24'], failures: [] });
  });

  it('a bad path costs the announcement only', () => {
    const decoded = facts({ ...both, 'as-path': 'nonsense' });
    expect(decoded).toMatchObject({ announced: [], withdrawn: ['203.0.113.0/24'], failures: ['invalid_as_path'] });
    expect(decoded).not.toHaveProperty('origin');
  });

  it('as many prefixes are read as one UPDATE can carry: 16,378 of /24 in both lists', () => {
    const { announced, withdrawn, failures } = facts({ ...both, prefixes: slash24s(16_000), withdraws: slash24s(378) });
    expect([announced, withdrawn, failures]).toEqual([slash24s(16_000), slash24s(378), []]);
  });

  it('bad withdrawn prefixes do not cost the announcement', () => {
    expect(facts({ ...both, withdraws: 'nonsense' })).toMatchObject({
      announced: ['198.51.100.0/24'],
      withdrawn: [],
      failures: ['invalid_prefix'],
    });
  });

  it('a withdrawal beside an empty list of announced prefixes', () => {
    expect(facts({ ...both, prefixes: '' })).toMatchObject({
      announced: [],
      withdrawn: ['203.0.113.0/24'],
      failures: [],
    });
  });
});

describe('parts that cannot be read', () => {
  const announcement = { ...HEAD, prefixes: '198.51.100.0/24', 'as-path': '64500 64496' };

  it.each<[string, object, object]>([
    [
      'one bad prefix among good ones',
      { prefixes: '198.51.100.0/24,198.51.100.0/33,203.0.113.0/24' },
      { announced: ['198.51.100.0/24', '203.0.113.0/24'], failures: ['invalid_prefix'] },
    ],
    [
      'an octal prefix among good ones',
      { prefixes: '198.51.100.0/24,010.0.0.0/8' },
      { announced: ['198.51.100.0/24'], failures: ['invalid_prefix'] },
    ],
    [
      'a comma at the end',
      { prefixes: '198.51.100.0/24,' },
      { announced: ['198.51.100.0/24'], failures: ['invalid_prefix'] },
    ],
    [
      'something else than text in an array',
      { prefixes: ['198.51.100.0/24', 7, null] },
      { announced: ['198.51.100.0/24'], failures: ['invalid_prefix'] },
    ],
    ['host bits are no failure', { prefixes: '198.51.100.77/24' }, { announced: ['198.51.100.0/24'], failures: [] }],
    [
      'announced prefixes as an array',
      { prefixes: ['198.51.100.0/24'] },
      { announced: ['198.51.100.0/24'], failures: [] },
    ],
    ['communities that are no text', { communities: ['64500:1'] }, { communities: '', failures: [] }],
    ['ORIGIN as a number', { origin: 2 }, { originAttribute: '2', failures: [] }],
    [
      'attributes that are null',
      { communities: null, nexthop: null, origin: null },
      { communities: '', nextHop: '', originAttribute: '', failures: [] },
    ],
    ['nothing but bad prefixes', { prefixes: 'x,y' }, { reason: 'invalid_prefix' }],
    ['a list that is neither text nor array', { prefixes: { a: 1 } }, { reason: 'invalid_prefix' }],
    ['a list that is a number', { prefixes: 7 }, { reason: 'invalid_prefix' }],
    ['no announced prefix', { prefixes: ' ' }, { reason: 'no_prefix' }],
    ['no announced prefix in an array', { prefixes: [] }, { reason: 'no_prefix' }],
    ['no path', { 'as-path': undefined }, { reason: 'missing_as_path' }],
    ['a path that is null', { 'as-path': null }, { reason: 'missing_as_path' }],
    ['a path that is a number', { 'as-path': 64500 }, { reason: 'invalid_as_path' }],
    ['a path that is an array', { 'as-path': [64500] }, { reason: 'invalid_as_path' }],
    ['a path with a letter', { 'as-path': '64500 x' }, { reason: 'invalid_as_path' }],
    ['a path that no UPDATE can carry', { 'as-path': '7 '.repeat(16_345) }, { reason: 'invalid_as_path' }],
    ['a list that no UPDATE can carry', { prefixes: slash24s(16_379).join() }, { reason: 'too_large' }],
    ['withdrawn prefixes that no UPDATE can carry', { withdraws: slash24s(16_379) }, { reason: 'too_large' }],
    [
      'lists that no UPDATE can carry together',
      { prefixes: slash24s(8_000), withdrawn: slash24s(4_000), withdrawals: slash24s(4_379).join() },
      { reason: 'too_large' },
    ],
    [
      'a list of more items that are no prefixes than an UPDATE has prefixes',
      { prefixes: ','.repeat(22_178) },
      { reason: 'too_large' },
    ],
    [
      'a prefix repeated more often than an UPDATE has different prefixes',
      { prefixes: `${'::/0,'.repeat(22_178)}::/0` },
      { reason: 'too_large' },
    ],
    [
      'lists that repeat a prefix more often together',
      { prefixes: Array(11_090).fill('::/0'), withdrawn: Array(11_089).fill('0.0.0.0/0') },
      { reason: 'too_large' },
    ],
    ['a frame longer than an UPDATE can be', { communities: '7'.repeat(524_288) }, { reason: 'too_large' }],
    ['another type of record', { record_type: 'rib' }, { reason: 'unknown_record_type' }],
    ['a type of record that is a number', { record_type: 1 }, { reason: 'unknown_record_type' }],
    ['no type of record', { record_type: undefined }, { reason: 'unknown_record_type' }],
    ['no VP', { vp: undefined }, { reason: 'invalid_vp' }],
    ['a VP that is a number', { vp: 64500 }, { reason: 'invalid_vp' }],
    ['a VP with an octal address', { vp: '64500_192.0.02.1' }, { reason: 'invalid_vp' }],
    ['a VP with an AS over 32 bits', { vp: '4294967296_192.0.2.1' }, { reason: 'invalid_vp' }],
    ['a BMP message without a peer', { record_type: 'bmp_update' }, { reason: 'invalid_bmp_peer' }],
    ['a BMP message with a bad peer', { record_type: 'bmp_update', bmp_peer: '64501' }, { reason: 'invalid_bmp_peer' }],
    [
      'a BMP message without a parent',
      { record_type: 'bmp_update', vp: '', bmp_peer: '64501_192.0.2.9' },
      { reason: 'invalid_vp' },
    ],
    ['a time before 1970', { sec: -1 }, { reason: 'invalid_time' }],
    ['a time in milliseconds', { sec: 1700000000000 }, { reason: 'invalid_time' }],
    ['a time in words', { sec: 'now' }, { reason: 'invalid_time' }],
    ['microseconds of a second or more', { Usec: 1_000_000 }, { reason: 'invalid_time' }],
    [
      'an error in an update does not end the session',
      { error: 'x' },
      { announced: ['198.51.100.0/24'], failures: [] },
    ],
  ])('%s', (_, change, expected) => {
    const decoded = facts({ ...announcement, ...change });
    if ('reason' in expected) expect(decoded).toEqual(expected);
    else expect(decoded).toMatchObject(expected);
  });

  it.each([
    ['', 'invalid_json'],
    ['{', 'invalid_json'],
    ['{"record_type":"update"', 'invalid_json'],
    ['nonsense', 'invalid_json'],
    [' \n', 'invalid_json'],
    ['{}x', 'invalid_json'],
    ['{"a":}', 'invalid_json'],
    ['nul', 'invalid_json'],
    ['"', 'invalid_json'],
    ['[', 'invalid_json'],
    ['-', 'invalid_json'],
    [' true\r\n', 'not_an_object'],
    ['\u0000', 'invalid_json'],
    ['null', 'not_an_object'],
    ['[]', 'not_an_object'],
    ['[{"record_type":"update"}]', 'not_an_object'],
    ['7', 'not_an_object'],
    ['"update"', 'not_an_object'],
    ['{}', 'unknown_record_type'],
    ['{"error":"invalid API key"}', 'service_error'],
    ['{"__proto__":{"record_type":"update"}}', 'unknown_record_type'],
    ['{"constructor":{"prototype":{"record_type":"update"}}}', 'unknown_record_type'],
  ])('%s is %s', (frame, reason) => {
    expect(decodeMessage(frame)).toEqual({ ok: false, reason });
    expect(decodeMessage(Buffer.from(frame))).toEqual({ ok: false, reason });
  });

  it('bytes that are no UTF-8', () => {
    expect(decodeMessage(Buffer.from([0xff, 0xfe, 0x7b]))).toEqual({ ok: false, reason: 'invalid_json' });
  });
});

describe('times', () => {
  it.each<[unknown, unknown, number | undefined]>([
    [1700000000, 5, 1_700_000_000_000_005],
    ['1700000000', '5', 1_700_000_000_000_005],
    ['1700000000', '000005', 1_700_000_000_000_005],
    [1700000000, undefined, 1_700_000_000_000_000],
    [1700000000, null, 1_700_000_000_000_000],
    [1700000000, 999_999, 1_700_000_000_999_999],
    [0, 0, 0],
    [undefined, 5, 0],
    [null, undefined, 0],
    [1795860000.123, undefined, 1_795_860_000_123_000],
    ['1795860000.123456', undefined, 1_795_860_000_123_456],
    [1795860000.5, 7, 1_795_860_000_500_000],
    [-0.5, 0, undefined],
    ['1.', 0, undefined],
    ['.5', 0, undefined],
    [7_258_118_400.5, 0, undefined],
    [7_258_118_400, 999_999, 7_258_118_400_999_999],
    [7_258_118_401, 0, undefined],
    ['99999999999', 0, undefined],
    ['', 0, undefined],
    [' 1700000000', 0, undefined],
    ['1e9', 0, undefined],
    ['-1', 0, undefined],
    [true, 0, undefined],
    [[1700000000], 0, undefined],
    [Number.NaN, 0, undefined],
    [Number.POSITIVE_INFINITY, 0, undefined],
    [1700000000, -1, undefined],
    [1700000000, 0.5, undefined],
    [1700000000, '', undefined],
    [1700000000, {}, undefined],
  ])('sec %j and Usec %j', (sec, usec, expected) => expect(decodeTime(sec, usec)).toBe(expected));
});

// --- total on anything ----------------------------------------------------------------------------------------------

function expectSound(result: DecodeResult): void {
  if (!result.ok) {
    expect(DECODE_FAILURES).toContain(result.reason);
    expect(result.keys?.length ?? 0).toBeLessThanOrEqual(32);
    return;
  }
  const { update, failures } = result;
  for (const failure of failures) expect(DECODE_FAILURES).toContain(failure);
  expect(update.announced.length + update.withdrawn.length).toBeGreaterThan(0);
  for (const prefix of [...update.announced, ...update.withdrawn]) expect(parsePrefix(prefix)?.text).toBe(prefix);
  expect(update.attributes !== undefined).toBe(update.announced.length > 0);
  if (update.attributes !== undefined) {
    expect(parseAsPath(update.attributes.asPath)).toBeDefined();
    for (const value of Object.values(update.attributes)) expect(typeof value).toBe('string');
  }
  expect(Number.isSafeInteger(update.timeUs) && update.timeUs >= 0).toBe(true);
  expect(update.vp.protocol === 'bmp').toBe(update.vp.parent !== undefined);
}

const frames = readLines(fixturePath('edge-cases.jsonl')).map((line) =>
  JSON.stringify((JSON.parse(line) as { message: unknown }).message),
);
const frame = fc.constantFrom(...frames.filter((one) => one.length < 600));

describe('whatever comes in', () => {
  it('gives events or a reason: arbitrary JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expectSound(decodeMessage(JSON.stringify(value)));
        expectSound(decodeValue(value));
      }),
      runs(500),
    );
  });

  it('gives events or a reason: arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => expectSound(decodeMessage(Buffer.from(bytes)))),
      runs(500),
    );
  });

  it('gives events or a reason: frames with any value in any place', () => {
    const keys = [
      'record_type',
      'vp',
      'bmp_peer',
      'sec',
      'Usec',
      'prefixes',
      'withdraws',
      'as-path',
      'communities',
      'nexthop',
      'origin',
      'error',
      '__proto__',
      'other',
    ];
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.string({ unit: fc.constantFrom(...'0123456789abf.:/,{}()[] _-') }),
      fc.constantFrom('update', 'bmp_update', '198.51.100.0/24', ['2001:db8::/32'], '64500_192.0.2.1', '1700000000'),
    );
    fc.assert(
      fc.property(frame, fc.dictionary(fc.constantFrom(...keys), value), (text, change) => {
        const message = { ...(JSON.parse(text) as object), ...change };
        expectSound(decodeMessage(JSON.stringify(message)));
        expectSound(decodeValue(message));
      }),
      runs(2000),
    );
  });

  it('gives events or a reason: frames with bytes changed, lost or added', () => {
    const mutation = fc.record({ at: fc.nat(600), drop: fc.nat(3), add: fc.uint8Array({ maxLength: 3 }) });
    fc.assert(
      fc.property(frame, fc.array(mutation, { minLength: 1, maxLength: 4 }), (text, mutations) => {
        let bytes = Buffer.from(text);
        for (const { at, drop, add } of mutations)
          bytes = Buffer.concat([bytes.subarray(0, at), add, bytes.subarray(at + drop)]);
        expectSound(decodeMessage(bytes));
      }),
      runs(2000),
    );
  });

  it('reads back what a service would write, in whatever spelling', () => {
    const prefix = fc.constantFrom(
      { spelt: '198.51.100.0/24', canonical: '198.51.100.0/24' },
      { spelt: '198.51.100.9/24', canonical: '198.51.100.0/24' },
      { spelt: '2001:DB8:0:0::/48', canonical: '2001:db8::/48' },
      { spelt: '2001:0db8:0001::/48', canonical: '2001:db8:1::/48' },
      { spelt: '::/0', canonical: '::/0' },
    );
    const list = fc.array(prefix, { maxLength: 4 });
    const update = fc
      .record({
        announced: list,
        withdrawn: list,
        sec: fc.integer({ min: 0, max: 4_000_000_000 }),
        usec: fc.option(fc.integer({ min: 0, max: 999_999 }), { nil: undefined }),
        asPath: fc.array(fc.integer({ min: 0, max: 4_294_967_295 }), { maxLength: 5 }),
        asText: fc.boolean(),
        asArray: fc.boolean(),
        bmp: fc.boolean(),
        withdrawnKey: fc.constantFrom('withdraws', 'withdrawn', 'never_heard_of'),
        communities: fc.string(),
      })
      .filter(({ announced, withdrawn }) => announced.length + withdrawn.length > 0);
    fc.assert(
      fc.property(update, (of) => {
        const write = (prefixes: readonly { spelt: string }[]) =>
          of.asArray ? prefixes.map((one) => one.spelt) : prefixes.map((one) => one.spelt).join(',');
        const number = (value: number) => (of.asText ? String(value) : value);
        const result = decodeMessage(
          JSON.stringify({
            record_type: of.bmp ? 'bmp_update' : 'update',
            vp: '64500_192.0.2.1',
            ...(of.bmp && { bmp_peer: '64501_2001:DB8::9' }),
            sec: number(of.sec),
            ...(of.usec !== undefined && { Usec: number(of.usec) }),
            ...(of.withdrawn.length > 0 && { [of.withdrawnKey]: write(of.withdrawn) }),
            ...(of.announced.length > 0 && {
              prefixes: write(of.announced),
              'as-path': of.asPath.join(' '),
              communities: of.communities,
            }),
          }),
        );
        // A key that nobody knows holds withdrawn prefixes only in a message that announces nothing.
        const isGuess = of.withdrawn.length > 0 && of.withdrawnKey === 'never_heard_of';
        const withdrawn = isGuess && of.announced.length > 0 ? [] : of.withdrawn;
        expect(result).toEqual({
          ok: true,
          failures: [],
          ...(isGuess && of.announced.length === 0 && { guessedKey: 'never_heard_of' }),
          update: {
            vp: of.bmp
              ? { protocol: 'bmp', asn: 64501, ip: '2001:db8::9', parent: { asn: 64500, ip: '192.0.2.1' } }
              : { protocol: 'bgp', asn: 64500, ip: '192.0.2.1' },
            timeUs: of.sec * 1_000_000 + (of.usec ?? 0),
            announced: of.announced.map((one) => one.canonical),
            withdrawn: withdrawn.map((one) => one.canonical),
            ...(of.announced.length > 0 && {
              attributes: {
                asPath: of.asPath.join(' '),
                communities: of.communities,
                nextHop: '',
                originAttribute: '',
              },
            }),
          },
        });
      }),
      runs(1000),
    );
  });
});
