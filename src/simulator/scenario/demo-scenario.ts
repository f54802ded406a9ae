/** The default: a quick round of five minutes in the life of a small network, then rounds of an hour, again and again. */
import { type Scenario, scenario } from './scenario.ts';

/** Documentation numbers announce, well-known networks carry; the attackers are documentation numbers too. */
const PREFIXES = [
  {
    prefix: '192.23.62.0/24',
    origin: 64500,
    upstreams: [1103, 3356],
    description: 'customer block',
    group: 'core',
  },
  {
    prefix: '2a06:3040:10::/48',
    origin: 64500,
    upstreams: [1103, 3356],
    description: 'customer block, IPv6',
    group: 'core',
  },
  { prefix: '198.51.100.0/24', origin: 64501, upstreams: [1299, 6453], description: 'web shop', group: 'services' },
  { prefix: '203.0.113.0/24', origin: 64501, upstreams: [1299, 6453], description: 'mail', group: 'services' },
  { prefix: '2001:db8:100::/40', origin: 64502, upstreams: [2914], description: 'branch offices', group: 'edge' },
];

/** Each event is over within half a minute: quick to look at, and too short for the alerts, which wait for minutes. */
export const DEMO_SCENARIO: Scenario = scenario({
  description: 'An outage, a hijack, a path change, a sub-prefix hijack, prepending, flapping, and lost vantage points',
  vps: 300,
  loop_every: '5m',
  churn_per_minute: 120,
  prefixes: PREFIXES,
  steps: [
    { at: '20s', do: 'outage', prefix: '192.23.62.0/24' },
    { at: '50s', do: 'recovery', prefix: '192.23.62.0/24' },
    { at: '75s', do: 'hijack', prefix: '198.51.100.0/24', by: 64666 },
    { at: '110s', do: 'recovery', prefix: '198.51.100.0/24' },
    { at: '130s', do: 'upstream_change', prefix: '2a06:3040:10::/48', upstreams: [6939] },
    { at: '150s', do: 'prepend', prefix: '2001:db8:100::/40', times: 3 },
    { at: '165s', do: 'recovery', prefix: '2a06:3040:10::/48' },
    { at: '180s', do: 'subprefix_hijack', prefix: '203.0.113.0/24', more_specific: '203.0.113.128/25', by: 64667 },
    { at: '215s', do: 'recovery', prefix: '203.0.113.0/24' },
    { at: '225s', do: 'recovery', prefix: '2001:db8:100::/40' },
    { at: '235s', do: 'outage', prefix: '2a06:3040:10::/48', share: 0.4 },
    { at: '250s', do: 'recovery', prefix: '2a06:3040:10::/48' },
    { at: '260s', do: 'flap', prefix: '203.0.113.0/24', times: 3, interval: '4s', share: 0.5 },
    { at: '280s', do: 'vp_loss', share: 0.1, for: '10s' },
  ],
});

/**
 * The same network, with events that last: each headline alert of the bundled rules fires and is resolved within the hour.
 * What the rules compare with (a baseline of a quarter of an hour) comes in the second half. Vantage points are lost once an
 * hour: the rules say nothing of comparisons for half an hour after a fifth of them went.
 */
export const LONG_SCENARIO: Scenario = scenario({
  description:
    'An hour: flapping, an outage, a hijack, a path change, a sub-prefix hijack, prepending, a partial outage',
  vps: DEMO_SCENARIO.vps,
  loop_every: '1h',
  churn_per_minute: 60,
  prefixes: PREFIXES,
  steps: [
    // Flaps count for half an hour: first of all, so that the alert is over before the round is.
    { at: '1m', do: 'flap', prefix: '2001:db8:100::/40', times: 5, interval: '40s' },
    { at: '4m', do: 'outage', prefix: '192.23.62.0/24' },
    { at: '9m', do: 'recovery', prefix: '192.23.62.0/24' },
    { at: '11m', do: 'hijack', prefix: '198.51.100.0/24', by: 64666 },
    { at: '15m', do: 'recovery', prefix: '198.51.100.0/24' },
    { at: '16m', do: 'subprefix_hijack', prefix: '203.0.113.0/24', more_specific: '203.0.113.128/25', by: 64667 },
    { at: '21m', do: 'recovery', prefix: '203.0.113.0/24' },
    { at: '23m', do: 'upstream_change', prefix: '2a06:3040:10::/48', upstreams: [6939] },
    { at: '31m', do: 'recovery', prefix: '2a06:3040:10::/48' },
    { at: '32m', do: 'outage', prefix: '198.51.100.0/24', share: 0.7 },
    { at: '39m', do: 'recovery', prefix: '198.51.100.0/24' },
    { at: '40m', do: 'prepend', prefix: '203.0.113.0/24', times: 3 },
    { at: '45m', do: 'vp_loss', share: 0.1, for: '10m' },
    { at: '53m', do: 'recovery', prefix: '203.0.113.0/24' },
  ],
});
