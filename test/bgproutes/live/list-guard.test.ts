import { describe, expect, it } from 'vitest';
import { ListGuard, MOST_JUDGED, UNDER_WAY_MS } from '../../../src/bgproutes/live/list-guard.ts';

const NOW = Date.UTC(2026, 0, 1);
const LATER = UNDER_WAY_MS + 1;

function guard(...wanted: string[]): ListGuard {
  const made = new ListGuard();
  made.want(wanted);
  made.associated(NOW, 0);
  return made;
}

describe('a message', () => {
  it.each([
    ['192.0.2.0/24', 'ours'],
    ['192.0.2.7/32', 'ours'],
    ['192.0.0.0/16', 'ours'],
    ['0.0.0.0/0', 'ours'],
    ['192.0.3.0/24', 'foreign'],
    ['2001:db8::/32', 'foreign'],
    ['no prefix', 'ours'],
  ])('about %s is %s beside 192.0.2.0/24', (prefix, belonging) => {
    expect(guard('192.0.2.0/24').judge([prefix], NOW + LATER, LATER)).toBe(belonging);
  });

  it('is ours when one of its prefixes is', () => {
    const made = guard('192.0.2.0/24');
    expect(made.judge(['203.0.113.0/24', '192.0.2.0/25'], NOW + LATER, LATER)).toBe('ours');
    expect(made.judge(['203.0.113.0/24', '198.18.0.0/15'], NOW + LATER, LATER)).toBe('foreign');
    expect(made.judge([], NOW + LATER, LATER)).toBe('ours');
  });

  it('of very many prefixes is not judged, because each would be compared with all of ours', () => {
    const foreign = Array.from({ length: MOST_JUDGED + 1 }, (_, i) => `203.0.${i}.0/24`);
    const made = guard('192.0.2.0/24');
    expect(made.judge(foreign.slice(1), NOW + LATER, LATER)).toBe('foreign');
    expect(made.judge(foreign, NOW + LATER, LATER)).toBe('ours');
  });

  it('is forgiven while it may have been under way, and when it came before the association', () => {
    const made = guard('192.0.2.0/24');
    expect(made.judge(['203.0.113.0/24'], NOW + 1, UNDER_WAY_MS - 1)).toBe('ours');
    expect(made.judge(['203.0.113.0/24'], NOW - 1, LATER)).toBe('ours');
    expect(made.judge(['203.0.113.0/24'], NOW, UNDER_WAY_MS)).toBe('foreign');
  });

  it('about a prefix that was taken out belongs to an earlier list, until the next connection', () => {
    const made = guard('192.0.2.0/24', '198.51.100.0/24');
    made.want(['192.0.2.0/24']);
    expect(made.judge(['198.51.100.0/24'], NOW + LATER, LATER)).toBe('former');
    expect(made.judge(['198.51.100.0/24', '203.0.113.0/24'], NOW + LATER, LATER)).toBe('former');
    made.want(['198.51.100.0/24']);
    expect(made.judge(['198.51.100.0/24'], NOW + LATER, LATER)).toBe('ours');
    made.begin();
    made.want(['192.0.2.0/24']);
    expect(made.judge(['198.51.100.0/24'], NOW + LATER, LATER)).toBe('foreign');
  });

  it('about a prefix that the key merely has belongs to an earlier list', () => {
    const made = guard('192.0.2.0/24');
    made.add(['198.51.100.0/24', '192.0.2.0/24']);
    expect(made.judge(['198.51.100.0/24'], NOW + LATER, LATER)).toBe('former');
    expect(made.judge(['192.0.2.0/24'], NOW + LATER, LATER)).toBe('ours');
  });
});
