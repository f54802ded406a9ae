import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock, TimeStamper } from '../../../src/simulator/clock.ts';
import type { AsGraph } from '../../../src/simulator/internet/as-graph.ts';
import { startChurn } from '../../../src/simulator/internet/churn.ts';
import { Internet } from '../../../src/simulator/internet/internet.ts';
import { seededRandom } from '../../../src/simulator/internet/random.ts';
import { alternativePaths, pathOf, propagate } from '../../../src/simulator/internet/routes/propagation.ts';
import { Timeline } from '../../../src/simulator/internet/timeline.ts';
import { World } from '../../../src/simulator/internet/world.ts';
import { DEMO_SCENARIO } from '../../../src/simulator/scenario/demo-scenario.ts';
import { type Scenario, scenario } from '../../../src/simulator/scenario/scenario.ts';
import { type StepReport, Steps } from '../../../src/simulator/scenario/steps.ts';

/** The Internet without sockets: what it says is kept as text. */
function internetOf(options: { seed: number; vps: number; scenario: Scenario; churn?: number }) {
  const clock = new ManualClock(1_800_000_000_000);
  const said: { timeUs: number; text: string }[] = [];
  const world = new World({
    stamper: new TimeStamper(clock),
    historyLimit: 100_000,
    withdrawStyle: { key: 'withdraws', asArray: false },
    publish: (message, timeUs) => {
      const { head, middle, tail } = message.part(() => true)!;
      said.push({ timeUs, text: `${head}0${middle}0${tail}` });
    },
  });
  const timeline = new Timeline({ clock, speed: 1, backpressure: () => undefined });
  const internet = new Internet({ world, timeline, maxGeneratedPrefixes: 100, ...options });
  const reports: StepReport[] = [];
  const sources = { down: () => {}, up: () => {}, heard: () => 0 };
  const onStep = (report: StepReport) => reports.push(report);
  const steps = new Steps({ world, internet, timeline, seed: options.seed, sources, signedChanged: () => {}, onStep });
  startChurn({ world, internet, timeline, seed: options.seed, eventsPerMinute: options.churn ?? 0 });
  steps.schedule({ steps: options.scenario.steps, lengthMs: options.scenario.loop_every });
  timeline.start();
  return { clock, world, internet, timeline, steps, reports, said };
}

/**
 * Gao's rule, checked from the printed path alone: read from the origin on, it climbs from customers to providers, crosses
 * to a peer once at most, and then only descends.
 */
function valleyOf(graph: AsGraph, path: readonly number[]): string | undefined {
  const hops = path.filter((asn, i) => asn !== path[i - 1]).reverse();
  if (new Set(hops).size !== hops.length) return `a loop in ${path.join(' ')}`;
  let descends = false;
  for (let i = 1; i < hops.length; i++) {
    const [from, to] = [graph.find(hops[i - 1]), graph.find(hops[i])];
    if (from === undefined || to === undefined) return `an unknown AS in ${path.join(' ')}`;
    const node = graph.nodes[from];
    if (node.providers.has(to)) {
      if (descends) return `up after down from AS${hops[i - 1]} to AS${hops[i]} in ${path.join(' ')}`;
    } else if (node.peers.has(to)) {
      if (descends) return `across after down from AS${hops[i - 1]} to AS${hops[i]} in ${path.join(' ')}`;
      descends = true;
    } else if (node.customers.has(to)) {
      descends = true;
    } else {
      return `no link between AS${hops[i - 1]} and AS${hops[i]} in ${path.join(' ')}`;
    }
  }
  return undefined;
}

/** All AS paths in the messages. */
function pathsOf(said: readonly { text: string }[]): number[][] {
  return said.flatMap(({ text }) => {
    const path = (JSON.parse(text) as Record<string, string>)['as-path'];
    return path === undefined || path === '' ? [] : [path.split(' ').map(Number)];
  });
}

describe('propagation', () => {
  it('every best path and every alternative is valley-free, from any announcers in any graph', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 4 }),
        (seed, announcerCount, prepends) => {
          const { internet } = internetOf({ seed, vps: 20, scenario: scenario({}) });
          const { graph } = internet;
          const random = seededRandom(seed, 'announcers');
          const announcers = random.sample([...graph.nodes.keys()], announcerCount).map((node, i) => {
            const providers = [...graph.nodes[node].providers];
            const upstreams = i === 0 && providers.length > 0 ? new Set(providers.slice(0, 1)) : undefined;
            return {
              node,
              upstreams,
              prepends: new Map(providers.map((provider) => [provider, prepends])),
              forgedTail: [],
            };
          });
          const routing = propagate(graph, announcers);
          for (const node of graph.nodes.keys()) {
            const best = pathOf(graph, routing, node);
            for (const path of [...(best === undefined ? [] : [best]), ...alternativePaths(graph, routing, node)]) {
              expect(valleyOf(graph, path)).toBeUndefined();
            }
            if (best !== undefined && best.length > 1) expect(best.length - 1).toBe(routing.length[node]);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('everybody reaches what is announced to all; customers come before peers before providers, then length counts', () => {
    const { internet } = internetOf({ seed: 3, vps: 100, scenario: scenario({}) });
    const { graph } = internet;
    for (const node of [0, 20, 60, 100]) {
      const routing = propagate(graph, [{ node, upstreams: undefined, prepends: new Map(), forgedTail: [] }]);
      for (const at of graph.nodes.keys()) {
        expect(routing.routeClass[at]).not.toBe(0);
        if (at === node) continue;
        const via = routing.via[at];
        const learned = graph.nodes[at].customers.has(via) ? 2 : graph.nodes[at].peers.has(via) ? 3 : 4;
        expect(routing.routeClass[at]).toBe(learned);
        const betterCustomer = [...graph.nodes[at].customers].filter(
          (customer) =>
            routing.routeClass[customer] <= 2 && (learned > 2 || routing.length[customer] + 1 < routing.length[at]),
        );
        expect(betterCustomer).toEqual([]);
      }
    }
  });

  it('a forged path ends in the origin that it steals, and the origin does not believe it', () => {
    const { internet, steps, world, said } = internetOf({
      seed: 1,
      vps: 100,
      scenario: scenario({ prefixes: [{ prefix: '192.0.2.0/24', origin: 64500, upstreams: [3356] }] }),
    });
    steps.run({ do: 'hijack', prefix: '192.0.2.0/24', by: 64666, forged_origin: true }, 0);
    const forged = pathsOf(said).filter((path) => path.includes(64666));
    expect(forged.length).toBeGreaterThan(0);
    for (const path of forged) expect(path.slice(-2)).toEqual([64666, 64500]);
    expect([...world.routes()].every(({ asPath }) => asPath.endsWith('64500'))).toBe(true);
    expect(internet.graph.find(64500)).toBeDefined();
  });
});

describe('the demo scenario', () => {
  it('every path that is ever said is valley-free, churn and path hunting included', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (seed) => {
        const { clock, internet, said } = internetOf({ seed, vps: 40, scenario: DEMO_SCENARIO, churn: 600 });
        clock.advance(330_000);
        const paths = pathsOf(said);
        expect(paths.length).toBeGreaterThan(500);
        for (const path of paths) expect(valleyOf(internet.graph, path)).toBeUndefined();
      }),
      { numRuns: 4 },
    );
  });

  it('has an outage, a hijack, path changes, a sub-prefix hijack and recoveries within five minutes, and again', () => {
    const { clock, reports } = internetOf({ seed: 1, vps: 300, scenario: DEMO_SCENARIO });
    clock.advance(300_000);
    const first = reports.splice(0);
    const of = (kind: string) => first.filter((report) => report.kind === kind);
    const [outage] = of('outage');
    expect(outage.vpsBefore).toBeGreaterThan(100);
    expect(outage.vpsAfter).toBe(0);
    expect(of('hijack')[0]).toMatchObject({ vpsBefore: 0, text: 'hijack of 198.51.100.0/24 by AS64666' });
    expect(of('hijack')[0].vpsAfter).toBeGreaterThan(20);
    expect(of('upstream_change')[0].vpsAfter).toBeGreaterThan(50);
    expect(of('prepend')[0].vpsAfter).toBeGreaterThan(50);
    expect(of('subprefix_hijack')[0].vpsAfter).toBeGreaterThan(100);
    expect(of('vp_loss').map(({ vpsBefore, vpsAfter }) => [vpsBefore, vpsAfter])).toEqual([
      [300, 270],
      [270, 300],
    ]);
    for (const recovery of of('recovery')) expect(recovery.vpsAfter).not.toBe(recovery.vpsBefore);
    expect(of('recovery')).toHaveLength(6);
    clock.advance(300_000);
    expect(reports.map(({ kind }) => kind)).toEqual(first.map(({ kind }) => kind));
  });

  it('after a round every VP holds what it held in the beginning', () => {
    const { clock, world } = internetOf({ seed: 9, vps: 120, scenario: DEMO_SCENARIO });
    const state = () =>
      [...world.routes({ includeHistoryOnly: true })]
        .map(({ timeUs, ...route }) => route)
        .map((r) => JSON.stringify(r))
        .sort();
    const before = state();
    clock.advance(299_000);
    expect(state()).toEqual(before);
  });

  it('the same seed gives the same messages at the same times, another one does not', () => {
    const run = (seed: number) => {
      const { clock, said } = internetOf({ seed, vps: 80, scenario: DEMO_SCENARIO, churn: 300 });
      clock.advance(310_000);
      return said;
    };
    const messages = run(4);
    expect(messages.length).toBeGreaterThan(1_000);
    expect(run(4)).toEqual(messages);
    expect(run(5)).not.toEqual(messages);
  });

  it('it does not matter in which portions time passes', () => {
    const run = (portionMs: number) => {
      const { clock, said } = internetOf({ seed: 4, vps: 30, scenario: DEMO_SCENARIO, churn: 300 });
      for (let ms = 0; ms < 60_000; ms += portionMs) clock.advance(portionMs);
      return said.map(({ text }) => text);
    };
    expect(run(7)).toEqual(run(60_000));
  });
});

describe('what is visible', () => {
  it('is counted as a recount of all routes gives, after every step and whatever dies', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 }), (seed) => {
        const { clock, world, reports } = internetOf({ seed, vps: 30, scenario: DEMO_SCENARIO, churn: 600 });
        for (let i = 0; i < 31; i++) {
          clock.advance(10_000);
          for (const [number, { text }] of world.prefixes.all.entries()) {
            const recounted = [...world.routes()].filter(({ prefix }) => prefix === text).length;
            expect(world.store.visible(number)).toBe(recounted);
          }
        }
        expect(reports.length).toBeGreaterThan(10);
      }),
      { numRuns: 5 },
    );
  });

  it('VPs see only the families of their session, partial feeds only what customers announce', () => {
    const { world, internet } = internetOf({ seed: 2, vps: 400, scenario: DEMO_SCENARIO });
    const byKey = (key: string) => world.points.byKey(key)!;
    for (const route of world.routes()) {
      const { style, node } = byKey(route.vpKey);
      expect(style.families).toContain(route.prefix.includes(':') ? 'ipv6' : 'ipv4');
      if (!style.fullFeed)
        expect(internet.prefixes.get(route.prefix)!.routing.routeClass[node!]).toBeLessThanOrEqual(2);
    }
    const held = [...world.routes()].filter(({ prefix }) => prefix === '192.23.62.0/24').length;
    const carrying = world.liveVantagePoints().filter(({ style }) => style.families.includes('ipv4')).length;
    expect(held / carrying).toBeGreaterThan(0.8);
    expect(held / carrying).toBeLessThan(1);
  });

  it('the variety of reality is there: communities, large ones, none; next hops; prepending VPs; route servers; BMP', () => {
    const { world } = internetOf({ seed: 1, vps: 600, scenario: DEMO_SCENARIO });
    const routes = [...world.routes()];
    const has = (what: (route: (typeof routes)[number]) => boolean) => expect(routes.some(what)).toBe(true);
    has(({ communities }) => communities === '');
    has(({ communities }) => /(^| )\d+:\d+:\d+( |$)/.test(communities));
    has(({ nextHop }) => /,fe80::/.test(nextHop));
    has(({ nextHop }) => nextHop.startsWith('::ffff:'));
    has(({ originAttribute }) => originAttribute === 'INCOMPLETE');
    has(({ vpKey }) => vpKey.startsWith('bmp '));
    const asnOf = (vpKey: string) => vpKey.split(' ')[1].split('_')[0];
    has(({ vpKey, asPath }) => asPath.startsWith(`${asnOf(vpKey)} ${asnOf(vpKey)} `));
    has(({ vpKey, asPath }) => !asPath.startsWith(asnOf(vpKey)));
  });
});

it('300 VPs and 10 prefixes cost well under a second to make', () => {
  const prefixes = Array.from({ length: 10 }, (_, i) => ({
    prefix: `10.${i}.0.0/16`,
    origin: 64500 + i,
    upstreams: [1103, 3356],
  }));
  const before = process.cpuUsage();
  const { world } = internetOf({ seed: 1, vps: 300, scenario: scenario({ prefixes }) });
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(2_000);
  expect([...world.routes()].length).toBeGreaterThan(1_500);
});
