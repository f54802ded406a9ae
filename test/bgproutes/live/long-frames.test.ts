/** A long frame says the same whether it is read at once or in steps, and no step reads much. */
import { expect, it } from 'vitest';
import { decodeInSteps, decodeMessage } from '../../../src/bgproutes/live/message.ts';

const HEAD = { record_type: 'update', vp: '64500_192.0.2.1', sec: 1_790_000_000 };
const prefixes = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => `10.${(from + i) >> 8}.${(from + i) & 255}.0/24`);
const PATH = { 'as-path': '64501 64500' };
const junk = Array.from({ length: 3_000 }, (_, i) => `junk ${i}`);

const FRAMES: readonly (readonly [string, object])[] = [
  ['a long text', { prefixes: prefixes(9_000).join(), ...PATH }],
  ['a long list', { prefixes: prefixes(9_000), ...PATH }],
  ['blanks and host bits', { prefixes: prefixes(3_000).join(' , ').replace('10.1.7.0', '10.1.7.9'), ...PATH }],
  ['IPv6', { prefixes: prefixes(3_000).map((_, i) => `2001:DB8:${i.toString(16)}::/48`), ...PATH }],
  ['both lists', { prefixes: prefixes(5_000).join(), withdraws: prefixes(5_000, 5_000).join(), ...PATH }],
  ['more than one UPDATE has', { prefixes: prefixes(9_000).join(), withdrawn: prefixes(9_000).join(), ...PATH }],
  ['far more than one UPDATE has', { prefixes: prefixes(22_000), ...PATH }],
  ['junk among prefixes', { prefixes: [...prefixes(300), ...junk, 7, null, ...prefixes(300)], ...PATH }],
  ['junk first', { prefixes: [...junk, ...prefixes(300)], ...PATH }],
  ['nothing but junk', { prefixes: junk.join(), ...PATH }],
  ['withdrawals under an unknown key', { gone: prefixes(2_000).join() }],
  ['withdrawals under a known and an unknown key', { withdrawals: prefixes(2_000), gone: prefixes(2_000) }],
  ['an unknown key that is not all prefixes', { gone: [...prefixes(2_000), 'x'] }],
  [
    'texts that are no lists',
    { prefixes: '10.0.0.0/8', 'as-path': '1 '.repeat(9_000), communities: '1:2 '.repeat(2_000) },
  ],
  ['prefixes where communities are', { prefixes: '10.0.0.0/8', ...PATH, communities: prefixes(2_000).join() }],
  ['no path', { prefixes: prefixes(2_000) }],
  [
    'a text of many pieces, with what is no prefix in between',
    {
      prefixes: `${prefixes(9_000)
        .map((text, i) => (i % 1_000 === 0 ? '\u0131\ud800\u00e9' : text))
        .join()},`,
      ...PATH,
    },
  ],
  [
    'a text without a comma for long',
    { prefixes: `10.0.0.0/8,${'x'.repeat(100_000)},${prefixes(3_000).join()}`, ...PATH },
  ],
];

it.each(FRAMES)('%s', (_, fields) => {
  const frame = Buffer.from(JSON.stringify({ ...HEAD, ...fields }));
  const steps = decodeInSteps(frame);
  let read = steps.next();
  frame.fill(0); // it is valid in the first step only
  let count = 1;
  for (; read.done !== true; count++) read = steps.next();
  expect(read.value).toEqual(decodeMessage(JSON.stringify({ ...HEAD, ...fields })));
  expect(count).toBeGreaterThan(1);
});

it('a list of the most prefixes is read some at a time', () => {
  const steps = decodeInSteps(Buffer.from(JSON.stringify({ ...HEAD, prefixes: prefixes(16_000).join(), ...PATH })));
  let count = 0;
  while (steps.next().done !== true) count++;
  expect(count).toBeGreaterThan(60);
});

it.each(['', '[]', '{', '"x"', '{"a":1}', 'x'.repeat(600_000)])('%.9s is what it is at once', (text) => {
  const steps = decodeInSteps(Buffer.from(text));
  let read = steps.next();
  while (read.done !== true) read = steps.next();
  expect(read.value).toEqual(decodeMessage(text));
});
