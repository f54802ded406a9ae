/** The default: five minutes in the life of a small network, again and again. */
import { type Scenario, scenario } from './scenario.ts';

/** Documentation numbers announce, well-known networks carry; the attackers are documentation numbers too. */
export const DEMO_SCENARIO: Scenario = scenario({
  description: 'An outage, a hijack, a path change, a sub-prefix hijack, prepending, flapping, and lost vantage points',
  vps: 300,
  loop_every: '5m',
  churn_per_minute: 120,
  prefixes: [
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
  ],
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
