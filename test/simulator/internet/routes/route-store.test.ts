import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Route } from '../../../../src/simulator/internet/routes/route.ts';
import { RouteStore } from '../../../../src/simulator/internet/routes/route-store.ts';

const route = (asPath: string): Route => ({ asPath, communities: '', nextHop: '', originAttribute: '' });

const operation = fc.record({
  kind: fc.constantFrom('announce', 'announce', 'announce', 'withdraw', 'down'),
  vp: fc.integer({ min: 0, max: 3 }),
  prefix: fc.integer({ min: 0, max: 3 }),
  path: fc.integer({ min: 1, max: 3 }),
  gap: fc.integer({ min: 0, max: 2 }),
});

describe('the state of the past', () => {
  it('at every time that is remembered it is what was held then, after any sequence of events', () => {
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 60 }),
        fc.integer({ min: 1, max: 80 }),
        (operations, historyLimit) => {
          const store = new RouteStore({ historyLimit, isLive: (vp) => vp < 3 });
          const now = new Map<string, string>();
          store.load(0, 0, route('9'));
          now.set('0 0', '9');
          const snapshots = new Map<number, Map<string, string>>([[0, new Map(now)]]);
          let timeUs = 1;
          for (const { kind, vp, prefix, path, gap } of operations) {
            timeUs += gap;
            if (kind === 'announce') {
              store.announce(vp, prefix, route(`${path}`), timeUs);
              now.set(`${vp} ${prefix}`, `${path}`);
            } else if (kind === 'withdraw') {
              store.withdraw(vp, prefix, timeUs);
              now.delete(`${vp} ${prefix}`);
            } else {
              store.sessionDown(vp, timeUs);
              for (const key of [...now.keys()]) if (key.startsWith(`${vp} `)) now.delete(key);
            }
            snapshots.set(timeUs, new Map(now));
            for (let p = 0; p < 4; p++) {
              expect(store.visible(p)).toBe(
                [...now.keys()].filter((key) => key.endsWith(` ${p}`) && !key.startsWith('3')).length,
              );
            }
          }
          expect(store.historySize).toBeLessThanOrEqual(historyLimit);
          for (const [atUs, expected] of snapshots) {
            if (atUs < store.forgottenBeforeUs) continue;
            const stateAt = store.stateAt(atUs);
            for (let vp = 0; vp < 4; vp++) {
              for (let p = 0; p < 4; p++) expect(stateAt(vp, p)?.asPath).toBe(expected.get(`${vp} ${p}`));
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('events are kept up to the bound; what goes is counted, and what can no longer be told is known', () => {
    const store = new RouteStore({ historyLimit: 3, isLive: () => true });
    for (let i = 1; i <= 5; i++) store.announce(0, 0, route(`${i}`), i * 10);
    expect(store.evictedEvents).toBe(2);
    expect(store.forgottenBeforeUs).toBe(20);
    expect(store.events(0, 100).map(({ timeUs }) => timeUs)).toEqual([30, 40, 50]);
    expect(store.events(40, 40).map(({ route }) => route?.asPath)).toEqual(['4']);
  });

  it('a recording that goes back in time is searched as a whole', () => {
    const store = new RouteStore({ historyLimit: 10, isLive: () => true });
    for (const timeUs of [50, 10, 60, 20]) store.announce(0, 0, route(`${timeUs}`), timeUs);
    expect(store.events(40, 100).map(({ timeUs }) => timeUs)).toEqual([50, 60]);
  });
});
