import { expect, it } from 'vitest';
import { parsePrefix } from '../../../src/bgp/prefix.ts';
import { planSessions } from '../../../src/feed/plan/session-plan.ts';
import type { SessionPlan } from '../../../src/stream/live-feed.ts';

const entry = (text: string) => {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new Error(`not a prefix: ${text}`);
  return { prefix, description: 'ours', group: 'g', origins: undefined, upstreams: [64_500] };
};

it('each prefix is watched by the session that the source gives it', () => {
  const former = { watched: [], prefixes: [], subscriptions: [], sources: [{ prefixes: [], subscriptions: [] }] };
  const given: SessionPlan[] = [];
  const feed = {
    plan: (_prefixes: unknown, before?: SessionPlan) => {
      if (before !== undefined) given.push(before);
      return { prefixes: [['10.0.1.0/24'], ['10.0.0.0/24']], subscriptions: [['10.0.1.0/24'], ['10.0.0.0/24']] };
    },
  };
  const plan = planSessions(['10.0.0.0/24', '10.0.1.0/24'].map(entry), [feed], former);
  expect(plan.watched).toMatchObject([
    {
      prefix: { text: '10.0.0.0/24' },
      sessions: [1],
      origins: [],
      upstreams: [64_500],
      description: 'ours',
      group: 'g',
    },
    { prefix: { text: '10.0.1.0/24' }, sessions: [0] },
  ]);
  expect(given).toEqual(former.sources);
});

it('every source carries what it has room for, and sessions are numbered over all sources', () => {
  const first = { plan: () => ({ prefixes: [['10.0.0.0/24'], []], subscriptions: [['10.0.0.0/24'], []] }) };
  const second = {
    plan: () => ({
      prefixes: [['10.0.0.0/24', '10.0.1.0/24']],
      subscriptions: [['10.0.0.0/24', '10.0.1.0/24']],
    }),
  };
  const plan = planSessions(['10.0.0.0/24', '10.0.1.0/24'].map(entry), [first, second]);
  expect(plan.watched.map(({ sessions }) => sessions)).toEqual([[0, 2], [2]]);
  expect(plan.subscriptions).toEqual([['10.0.0.0/24'], [], ['10.0.0.0/24', '10.0.1.0/24']]);
});

it('a prefix that no source carries is an error of the configuration', () => {
  const full = { plan: () => ({ prefixes: [['10.0.0.0/24']], subscriptions: [['10.0.0.0/24']] }) };
  expect(() => planSessions(['10.0.0.0/24', '10.0.1.0/24'].map(entry), [full])).toThrow(
    'prefixes: no source has room for 10.0.1.0/24',
  );
});
