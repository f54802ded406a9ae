import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonBounds, type JsonRead, JsonReader, readJson } from '../../src/http/json-reader.ts';

const WIDE: JsonBounds = { bytes: 64 * 1024 * 1024, values: 10_000_000, depth: 1_000_000 };

/** What is read of a text that comes in chunks of so many bytes, in pieces as small as can be. */
function inChunks(text: string, size: number, bounds = WIDE): JsonRead {
  const reader = new JsonReader(bounds, undefined, 1);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) if (!reader.push(bytes.subarray(at, at + size))) break;
  return reader.end();
}

const whole = (text: string): unknown => {
  try {
    return [JSON.parse(text)];
  } catch {
    return 'not_json';
  }
};
/** Objects with their usual prototype; JSON would turn a number that is too large for one into null. */
const plain = (read: JsonRead): unknown => (read.kind === 'value' ? [structuredClone(read.value)] : read.kind);

describe('JSON in pieces', () => {
  it.each([
    '{"seconds":0.1,"bytes":2,"info":null,"data":{"bgp":{"1":{"192.0.2.0/24":["1 2","1:2",null,null,-1]}},"bmp":{}}}',
    '{"data":{"bgp":[{"id":1,"ip":"192.0.2.1"},{"id":2}],"bmp":[]}}',
    '{"data":{"bgp":[ ]},"info":{"bgp":{"1":"up","2":["a"]}}}',
    '[[[1,[2,[3]]],[],{}],[[4]],5]',
    '{"a":{"a":{"a":1},"a":{"a":2,"a":3}}}',
    '{"a":{"__proto__":{"__proto__":{"b":[1]},"c":2}}}',
    '{"a":{"b":[0],"c":{"0":[1]}}}',
    '{"data":{"bgp":["\\"","\\\\","]},{","\\u0022,","é€😀"]}}',
    ' 7 ',
    '"text"',
    '{}',
  ])('%s is what it is as a whole', (text) => {
    for (const size of [1, 2, 3, 7, 1_000]) expect(plain(inChunks(text, size))).toEqual(whole(text));
  });

  it.each([
    '',
    '{',
    '{"data":{"bgp":[1,]}}',
    '{"data":{"bgp":[,1]}}',
    '{"data":{"bgp":[1,,2]}}',
    '{"data":{"bgp":[1}}}',
    '{"data":{"bgp":{"a":1]}}',
    '{"data":{"bgp":{"a":1,}}}',
    '{"data":{"bgp":{"a":1}}',
    '{"data":{"bgp":{"a":[1}]}}}',
    '{"data":{"bgp":[1]}}}',
    '{"data":{"bgp":[1]}} {}',
    '{"data":{"bgp":["a]}}',
    '{"data":{"bgp":[1 2]}}',
    '{"data":{[1]:2}}',
    ']',
  ])('%s is no JSON', (text) => {
    for (const size of [1, 2, 5, 1_000]) expect(inChunks(text, size)).toEqual({ kind: 'not_json' });
  });

  it('agrees with JSON.parse about a number that is too large for one', () => {
    for (const text of ['[-1e400]', '{"data":{"bgp":[1e999,-0]}}'])
      expect(plain(inChunks(text, 3))).toEqual(whole(text));
  });

  it('agrees with JSON.parse about any text, whole or damaged', () => {
    const value = fc.oneof(
      fc.json({ maxDepth: 6 }),
      fc.array(fc.array(fc.array(fc.jsonValue()))).map((of) => JSON.stringify({ data: of })),
      fc
        .dictionary(fc.string(), fc.dictionary(fc.string(), fc.dictionary(fc.string(), fc.jsonValue())))
        .map((of) => JSON.stringify(of)),
    );
    const damage = fc.option(
      fc.tuple(fc.nat(), fc.constantFrom('', '[', ']', '{', '}', ',', ':', '"', '\\', ' ', '0')),
    );
    fc.assert(
      fc.property(value, damage, fc.integer({ min: 1, max: 40 }), (text, change, size) => {
        const at = change === null ? 0 : change[0] % (text.length + 1);
        const given = change === null ? text : text.slice(0, at) + change[1] + text.slice(at + 1);
        if (Buffer.from(given).toString() !== given) return; // half a character
        expect(plain(inChunks(given, size))).toEqual(whole(given));
      }),
      { numRuns: 500 },
    );
  });
});

describe('JSON that is too large', () => {
  it.each<[string, string, JsonBounds, string]>([
    ['bytes', `["${'x'.repeat(100)}"]`, { ...WIDE, bytes: 100 }, 'more than 100 bytes'],
    ['values', `[${'0,'.repeat(100)}0]`, { ...WIDE, values: 100 }, 'more than 100 values'],
    [
      'values that are lists',
      `{"data":{"bgp":[${'[],'.repeat(60)}[]]}}`,
      { ...WIDE, values: 100 },
      'more than 100 values',
    ],
    ['depth', '['.repeat(33), { ...WIDE, depth: 32 }, 'more than 32 levels'],
  ])('by its %s is refused', (_, text, bounds, why) => {
    expect(readJson(Buffer.from(text), bounds)).toEqual({ kind: 'too_large', text: why });
    expect(inChunks(text, 1, bounds)).toEqual({ kind: 'too_large', text: why });
  });

  it('ends the reading before the text ends', () => {
    const reader = new JsonReader({ ...WIDE, values: 1_000 });
    const chunk = Buffer.from('[],'.repeat(1_000));
    expect(reader.push(Buffer.from('{"data":{"bgp":['))).toBe(true);
    expect(reader.push(chunk)).toBe(false);
    expect(reader.push(chunk)).toBe(false);
    expect(reader.bytes).toBe(16 + chunk.length);
  });

  it('by one member that would hold the event loop is refused', () => {
    const begin = '{"data":{"bgp":{"1":[';
    const values = `${'0,'.repeat(300_001)}0]}}}`;
    expect(readJson(Buffer.from(begin + values), WIDE)).toEqual({
      kind: 'too_large',
      text: 'one part of more than 300000 values',
    });
    const bytes = `"${'x'.repeat(4 * 1024 * 1024)}"]}}}`;
    expect(readJson(Buffer.from(begin + bytes), WIDE)).toEqual({
      kind: 'too_large',
      text: 'one part of more than 4194304 bytes',
    });
    // The same in many members is taken.
    const members = `{"data":{"bgp":[${'0,'.repeat(1_000_000)}0]}}`;
    expect(readJson(Buffer.from(members), WIDE)).toMatchObject({ kind: 'value' });
  });

  it('by what is around its parts is refused', () => {
    const text = `{"info":"${'x'.repeat(1024 * 1024)}"}`;
    expect(readJson(Buffer.from(text), WIDE)).toMatchObject({ kind: 'too_large' });
  });
});
