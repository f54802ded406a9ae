import { describe, expect, it } from 'vitest';
import { parsePrefix } from '../../src/bgp/prefix.ts';
import { allocateSessions, planKeys } from '../../src/bgproutes/key-plan.ts';

const prefix = (text: string) => {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(`not a prefix: ${text}`);
  return parsed;
};
const prefixes = (...texts: string[]) => texts.map(prefix);

describe('allocateSessions', () => {
  it('fills one session after the other', () => {
    expect(allocateSessions(prefixes('10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24'), 3, 2)).toEqual([0, 0, 1]);
  });

  it('puts a prefix where the one that contains it is, so that its events come once', () => {
    const list = prefixes('10.0.0.0/24', '192.0.2.0/24', '198.51.100.0/24', '192.0.2.128/25');
    expect(allocateSessions(list, 2, 2)).toEqual([0, 0, 1, 1]);
    expect(allocateSessions(prefixes('192.0.2.128/25', '10.0.0.0/24', '192.0.2.0/24'), 2, 2)).toEqual([1, 0, 0]);
    expect(allocateSessions(prefixes('192.0.2.128/25', '10.0.0.0/24', '192.0.2.0/24'), 2, 3)).toEqual([0, 0, 0]);
  });

  it('leaves everything where it was', () => {
    const former = new Map([
      ['10.0.1.0/24', 1],
      ['10.0.2.0/24', 0],
    ]);
    expect(allocateSessions(prefixes('10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24'), 2, 2, former)).toEqual([0, 1, 0]);
  });

  it('refuses what does not fit', () => {
    expect(() => allocateSessions(prefixes('10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24'), 1, 2)).toThrow(RangeError);
  });
});

describe('planKeys', () => {
  const plan = (texts: readonly string[], canary: string | undefined, keys: number, prefixesPerKey: number) =>
    planKeys({ keys, prefixesPerKey, canary: canary === undefined ? undefined : prefix(canary) }, texts.map(prefix));

  it('the canary has a place of every key that is used', () => {
    const { subscriptions } = plan(['10.0.0.0/24', '10.0.1.0/24'], '84.205.64.0/24', 3, 2);
    expect(subscriptions).toEqual([['10.0.0.0/24', '84.205.64.0/24'], ['10.0.1.0/24', '84.205.64.0/24'], []]);
  });

  it('a canary that is monitored itself takes no second place', () => {
    const { subscriptions, prefixes: monitored } = plan(
      ['10.0.0.0/24', '84.205.64.0/24', '10.0.1.0/24'],
      '84.205.64.0/24',
      2,
      2,
    );
    expect(monitored).toEqual([['10.0.0.0/24', '84.205.64.0/24'], ['10.0.1.0/24']]);
    expect(subscriptions.map((list) => [...list].sort())).toEqual([
      ['10.0.0.0/24', '84.205.64.0/24'],
      ['10.0.1.0/24', '84.205.64.0/24'],
    ]);
  });

  it('leaves out the last prefixes when the keys are full', () => {
    expect(plan(['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24'], undefined, 1, 2).prefixes).toEqual([
      ['10.0.0.0/24', '10.0.1.0/24'],
    ]);
  });

  it('keeps a prefix with its key, the canary too', () => {
    const options = { keys: 2, prefixesPerKey: 2, canary: prefix('84.205.64.0/24') };
    const former = { prefixes: [['10.0.0.0/24'], ['10.0.1.0/24', '84.205.64.0/24']], subscriptions: [[], []] };
    expect(planKeys(options, prefixes('10.0.1.0/24', '84.205.64.0/24'), former).prefixes).toEqual([
      [],
      ['10.0.1.0/24', '84.205.64.0/24'],
    ]);
  });
});
