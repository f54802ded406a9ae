import { describe, expect, it } from 'vitest';
import { DEMO_SCENARIO } from '../../../src/simulator/scenario/demo-scenario.ts';
import { parseScenario, parseStep, scenario } from '../../../src/simulator/scenario/scenario.ts';

function problems(text: string): readonly string[] {
  const result = parseScenario(text);
  return result.ok ? [] : result.problems;
}

describe('a scenario file', () => {
  it('says what there is and what happens when', () => {
    const result = parseScenario(
      `
description: a test
seed: 7
vps: 50
loop_every: 2m
churn_per_minute: 0.5
generate_unknown_prefixes: false
prefixes:
  - {prefix: 192.0.2.0/24, origin: 64500, upstreams: [1103, 3356], description: block, group: core}
  - {prefix: "2001:DB8::/32", origin: 4294967295}
steps:
  - {at: 0, do: recovery, prefix: 192.0.2.0/24, text: in other words}
`.replace('at: 0,', 'at: "0",') +
        `
  - {at: 1m1.5s, do: outage, prefix: 2001:db8::/32, share: 0.5, spread: 500ms}
  - {at: 70s, do: hijack, prefix: 192.0.2.0/24, by: 64666, forged_origin: true}
  - {at: 71s, do: subprefix_hijack, prefix: 192.0.2.0/24, more_specific: 192.0.2.128/25, by: 64667}
  - {at: 72s, do: prepend, prefix: 192.0.2.0/24, times: 3, upstream: 1103}
  - {at: 73s, do: upstream_change, prefix: 192.0.2.0/24, upstreams: [6939]}
  - {at: 74s, do: flap, prefix: 192.0.2.0/24, times: 2, interval: 4s, share: 0.1}
  - {at: 74.5s, do: roa, prefix: 192.0.2.0/24, by: 64501, max_length: 25}
  - {at: 74.6s, do: roa_loss, prefix: 192.0.2.0/24}
  - {at: 74.7s, do: aspa, prefix: 192.0.2.0/24, providers: [1103]}
  - {at: 74.8s, do: aspa_loss, prefix: 192.0.2.0/24, by: 64501}
  - {at: 75s, do: vp_loss, vps: 3}
  - {at: 1m59s, do: vp_loss, share: 0.25, for: 10s}
`,
    );
    if (!result.ok) throw new Error(result.problems.join('\n'));
    const { scenario } = result;
    expect(scenario).toMatchObject({ seed: 7, vps: 50, loop_every: 120_000, churn_per_minute: 0.5 });
    expect(scenario.prefixes.map(({ prefix }) => prefix)).toEqual(['192.0.2.0/24', '2001:db8::/32']);
    expect(scenario.steps.map(({ at, do: kind }) => `${at} ${kind}`)).toEqual([
      '0 recovery',
      '61500 outage',
      '70000 hijack',
      '71000 subprefix_hijack',
      '72000 prepend',
      '73000 upstream_change',
      '74000 flap',
      '74500 roa',
      '74600 roa_loss',
      '74700 aspa',
      '74800 aspa_loss',
      '75000 vp_loss',
      '119000 vp_loss',
    ]);
    expect(scenario.steps[1]).toMatchObject({ prefix: '2001:db8::/32', spread: 500 });
  });

  it('an empty one is fine', () => {
    expect(parseScenario('')).toEqual({ ok: true, scenario: { prefixes: [], steps: [] } });
  });

  it('every problem is told at once, with its place', () => {
    expect(
      problems(`
vps: -3
loop_every: 5 parsecs
prefixs: []
prefixes:
  - prefix: 192.0.2.1/24
    origin: 0
  - prefix: 192.0.2.0/24
    origin: 64500
    upstream: [1]
steps:
  - {at: 10s, do: explode}
  - {do: hijack, prefix: 192.0.2.0/24}
`),
    ).toEqual([
      'vps (line 2): expected a number from 0 to 20000, got -3',
      'loop_every (line 3): expected a duration such as 40s, 1m30s or 500ms, got "5 parsecs"',
      'prefixes[0].prefix (line 6): expected a prefix such as 192.0.2.0/24 or 2001:db8::/48, got "192.0.2.1/24" (meant 192.0.2.0/24?)',
      'prefixes[0].origin (line 7): expected a number from 1 to 4294967295, got 0',
      'prefixes[1].upstream (line 10): unknown key, did you mean upstreams?',
      'steps[0].do (line 12): expected "do" to be outage, recovery, hijack, subprefix_hijack, prepend, upstream_change, flap, roa, roa_loss, aspa, aspa_loss, vp_loss or source_loss, got "explode"',
      'steps[1].at (line 13): expected a duration such as 40s, 1m30s or 500ms, which is missing',
      'steps[1].by (line 13): expected a number from 1 to 4294967295, which is missing',
      'prefixs (line 4): unknown key, did you mean prefixes?',
    ]);
  });

  it.each([
    [
      'a prefix twice, also when spelt differently',
      'prefixes: [{prefix: "2001:db8::/32", origin: 1}, {prefix: "2001:DB8:0::/32", origin: 2}]',
      'prefixes[1].prefix (line 1): 2001:db8::/32 is there twice',
    ],
    [
      'a step about an unknown prefix',
      'steps: [{at: 1s, do: outage, prefix: 10.0.0.0/8}]',
      "steps[0].prefix (line 1): expected one of the scenario's prefixes, got 10.0.0.0/8",
    ],
    [
      'a more-specific outside',
      'prefixes: [{prefix: 10.0.0.0/8, origin: 1}]\nsteps: [{at: 1s, do: subprefix_hijack, prefix: 10.0.0.0/8, more_specific: 11.0.0.0/16, by: 2}]',
      'steps[0].more_specific (line 2): expected a prefix inside 10.0.0.0/8, got 11.0.0.0/16',
    ],
    [
      'a ROA for less than its prefix',
      'prefixes: [{prefix: 10.0.0.0/8, origin: 1}]\nsteps: [{at: 1s, do: roa, prefix: 10.0.0.0/8, by: 2, max_length: 33}]',
      'steps[0].max_length (line 2): expected a length from 8 to 32, got 33',
    ],
    [
      'a step after the end of the round',
      'prefixes: [{prefix: 10.0.0.0/8, origin: 1}]\nloop_every: 10s\nsteps: [{at: 10s, do: outage, prefix: 10.0.0.0/8}]',
      'steps[0].at (line 3): expected a time before loop_every, got "10s"',
    ],
    [
      'a loss of neither a share nor a number',
      'steps: [{at: 1s, do: vp_loss}]',
      'steps[0].share (line 1): expected either share or vps, which is missing',
    ],
    [
      'what is no YAML',
      'prefixes: [',
      'Flow sequence in block collection must be sufficiently indented and end with a ] at line 1, column 12',
    ],
    ['what is no map', '- 1', 'scenario (line 1): expected a map, got a list'],
    ['a text in place of a list', 'prefixes: 10.0.0.0/8', 'prefixes (line 1): expected a list, got "10.0.0.0/8"'],
    ['a bare prefix', 'prefixes:\n- 10.0.0.0/8', 'prefixes[0] (line 2): expected a map, got "10.0.0.0/8"'],
    [
      'upstreams that are no list',
      'prefixes: [{prefix: 10.0.0.0/8, origin: 1, upstreams: 2}]',
      'prefixes[0].upstreams (line 1): expected a list, got 2',
    ],
    [
      'an alias bomb',
      'a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nprefixes: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]',
      'scenario: Excessive alias count indicates a resource exhaustion attack',
    ],
  ])('%s is told', (_, text, problem) => {
    expect(problems(text)).toEqual([problem]);
  });

  it('in code, a wrong one throws with the same words', () => {
    expect(() => scenario({ vps: 1.5 })).toThrow('vps: expected a whole number from 0 to 20000, got 1.5');
  });

  it('a step to be done now needs no time', () => {
    expect(parseStep({ do: 'outage', prefix: '10.0.0.0/8' })).toEqual({
      ok: true,
      step: { at: 0, do: 'outage', prefix: '10.0.0.0/8' },
    });
    expect(parseStep(null)).toMatchObject({ ok: false });
    expect(parseStep({ do: 'outage', prefix: '10.0.0.0/8', by: 3 })).toEqual({
      ok: false,
      problems: ['by: unknown key'],
    });
  });
});

it('the demo scenario speaks of its own prefixes only, IPv4 and IPv6', () => {
  expect(DEMO_SCENARIO.prefixes.map(({ prefix }) => prefix)).toEqual([
    '192.23.62.0/24',
    '2a06:3040:10::/48',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '2001:db8:100::/40',
  ]);
  expect(DEMO_SCENARIO.loop_every).toBe(300_000);
});
