/** Alerts about the streams. */
import { prefixMetrics as prefix, streamMetrics as stream } from '../../src/metrics/catalogue.ts';
import { AFTER, ALL, BEFORE, critical, DOWN, DURING, during, STALE, seenBy, session, warning } from './events.ts';
import type { RuleTest } from './rule-test.ts';
import { CALM, counter, INSTANCE, JOB, levels, of, SESSION } from './world.ts';

const SESSION_LABELS = { job: JOB, instance: INSTANCE, ...SESSION };

export const streamTests: readonly RuleTest[] = [
  {
    alert: 'BGPStreamDown',
    kinds: ['firing', 'resolving'],
    name: 'the server refuses the key for half an hour',
    minutes: ALL,
    changes: {
      ...during(session(stream.streamUp.name), 1, 0),
      [session(stream.streamDisconnects.name, { reason: 'refused' })]: counter([0, BEFORE], [1, DURING], [0, AFTER]),
    },
    checks: [
      { at: BEFORE + 1, firing: [] },
      { at: BEFORE + 3, firing: [DOWN] },
      { at: BEFORE + DURING - 1, firing: [DOWN] },
      { at: BEFORE + DURING + 4, firing: [DOWN] },
      { at: BEFORE + DURING + 6, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 20,
        severity: 'critical',
        labels: SESSION_LABELS,
        summary: `BGP stream bgproutes/0 of ${INSTANCE} is down`,
        description:
          'The session has not been connected, or its prefixes not associated with its key, for two minutes. What only it delivers is not seen: no alert of absence begins about prefixes that no other source carries, and those that fire go on. ' +
          'Disconnects in the last 10 minutes: refused 10. ' +
          "Check first the exporter's log for the server's own words: refused (key wrong, or used by a second session), association_failed (Live Manager API), connect_failed (network, DNS, TLS).",
      },
    ],
  },
  {
    alert: 'BGPStreamDown',
    kinds: ['not firing'],
    name: 'a minute without a connection is a reconnect',
    minutes: ALL,
    changes: { [session(stream.streamUp.name)]: levels([1, BEFORE], [0, 2], [1, ALL - BEFORE - 2]) },
    checks: [BEFORE + 1, BEFORE + 2, BEFORE + 5].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamDown',
    kinds: ['firing'],
    name: 'one of two sessions is down: its prefixes are quiet, those of the other are told',
    minutes: ALL,
    changes: {
      ...seenBy(0),
      [of.prefix(prefix.prefixVisibleVps.name, { prefix: CALM })]: levels([60, BEFORE], [0, DURING + AFTER]),
      [of.prefix(prefix.prefixVisibilityRatio.name, { prefix: CALM })]: levels([1, BEFORE], [0, DURING + AFTER]),
      [of.prefix(prefix.prefixTrusted.name, { prefix: CALM })]: levels([1, BEFORE], [0, DURING + AFTER]),
      [session(stream.streamUp.name, { session: '1' })]: levels([1, BEFORE], [0, DURING + AFTER]),
    },
    checks: [
      {
        at: BEFORE + 10,
        firing: [
          critical('BGPPrefixNotVisible'),
          critical('BGPPrefixVisibilityDrop'),
          warning('BGPPrefixVisibilityDrop'),
          critical('BGPStreamDown', { source: 'bgproutes', session: '1' }),
        ],
      },
    ],
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['firing', 'resolving'],
    name: 'a stream that speaks every minute falls silent',
    minutes: 560,
    changes: {
      [session(stream.streamLastFrame.name)]: `0+60x399 ${levels([399 * 60, 120])} ${520 * 60}+60x39`,
      [session(stream.streamUpdates.name)]: `0+30x399 ${levels([399 * 30, 120])} ${400 * 30}+30x39`,
    },
    checks: [
      { at: 440, firing: [] },
      { at: 500, firing: [warning('BGPStreamStale', { ...SESSION, why: 'silence' })] },
      { at: 527, firing: [] },
    ],
    message: [
      {
        at: 500,
        severity: 'warning',
        labels: { ...SESSION_LABELS, why: 'silence' },
        summary: `BGP stream bgproutes/0 of ${INSTANCE} is connected but brings no news (silence)`,
        description:
          'Last message 1h 41m 0s ago. Known by: silence (canary: its beacon was not heard for 2.5 hours; silence: ten times longer than usual; mute: no message in six hours; expired: the association with the key has ended). No alert of absence begins meanwhile for prefixes that no other source carries; those that fire go on. ' +
          "Check first the subscription's expiry and renewals on the Exporter dashboard, then the service's status.",
      },
    ],
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['not firing'],
    name: 'quiet prefixes are calm: one message an hour is usual here',
    minutes: 560,
    changes: {
      [session(stream.streamLastFrame.name)]: Array.from({ length: 9 }, (_, hour) => levels([hour * 3600, 60]))
        .join(' ')
        .concat(' ', levels([9 * 3600, 20])),
      [session(stream.streamUpdates.name)]: Array.from({ length: 9 }, (_, hour) => levels([hour + 1, 60]))
        .join(' ')
        .concat(' ', levels([10, 20])),
    },
    checks: [300, 359, 479, 539].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['firing'],
    name: 'keep-alives are no life; a restart, and a day of it, do not end a silence',
    minutes: 1900,
    changes: {
      [session(stream.streamLastFrame.name)]: `0+60x399 ${levels([399 * 60, 200], ['stale', 1], ['_', 1299])}`,
      [session(stream.streamFrames.name)]: `0+30x599 ${levels(['stale', 1], ['_', 3])} 0+2x1295`,
      [session(stream.streamUpdates.name)]: `0+30x399 ${levels([399 * 30, 200], ['stale', 1], ['_', 3], [0, 1296])}`,
      [session(stream.streamUp.name)]: levels([1, 600], ['stale', 1], ['_', 3], [1, 1296]),
    },
    checks: [
      ...[500, 599, 602, 610, 700].map((at) => ({
        at,
        firing: [warning('BGPStreamStale', { ...SESSION, why: 'silence' })],
      })),
      ...[1500, 1800].map((at) => ({
        at,
        firing: ['mute', 'silence'].map((why) => warning('BGPStreamStale', { ...SESSION, why })),
      })),
    ],
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['not firing'],
    name: "the exporter's clock is two days slow, or three hours fast: messages come all the same",
    minutes: 560,
    changes: {
      [session(stream.streamLastFrame.name)]: `0+60x199 -160000+60x199 34800+60x159`,
      [session(stream.streamCanaryTimestamp.name, { session: '1' })]: levels(
        [0, 120],
        [7200, 120],
        [14400 - 172800, 120],
        [21600 - 172800, 120],
        [28800 + 10800, 80],
      ),
      [session(stream.streamUp.name, { session: '1' })]: levels([1, 560]),
    },
    checks: [199, 250, 350, 450, 559].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['not firing'],
    name: 'silence is calm while the canary is heard',
    minutes: 560,
    changes: {
      [session(stream.streamLastFrame.name)]: `0+60x399 ${levels([399 * 60, 160])}`,
      [session(stream.streamUpdates.name)]: `0+30x399 ${levels([399 * 30, 160])}`,
      [session(stream.streamCanaryTimestamp.name)]: levels(
        [0, 120],
        [7200, 120],
        [14400, 120],
        [21600, 120],
        [28800, 80],
      ),
    },
    checks: [450, 500, 559].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['firing', 'resolving'],
    name: 'the canary is not heard, though other frames come; then it is',
    minutes: 300,
    changes: { [session(stream.streamCanaryTimestamp.name)]: levels([0, 200], [12000, 100]) },
    checks: [
      { at: 149, firing: [] },
      { at: 160, firing: [STALE] },
      { at: 207, firing: [] },
    ],
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['firing'],
    name: 'connected since six hours, and not one message',
    minutes: 400,
    changes: {
      [session(stream.streamLastFrame.name)]: '',
      [session(stream.streamUpdates.name)]: levels([0, 400]),
    },
    checks: [
      { at: 300, firing: [] },
      { at: 370, firing: [warning('BGPStreamStale', { ...SESSION, why: 'mute' })] },
    ],
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['firing', 'resolving'],
    name: 'the association has ended while the session is still open; then it is renewed',
    minutes: 300,
    changes: { [session(stream.streamSubscriptionExpiry.name)]: levels([200 * 60, 240], [400 * 60, 60]) },
    checks: [
      { at: 199, firing: [warning('BGPSubscriptionExpiring', SESSION)] },
      {
        at: 210,
        firing: [
          warning('BGPStreamStale', { ...SESSION, why: 'expired' }),
          warning('BGPSubscriptionExpiring', SESSION),
        ],
      },
      { at: 247, firing: [] },
    ],
  },
  {
    alert: 'BGPStreamDelayed',
    kinds: ['firing', 'resolving'],
    name: 'a fifth of the messages is up to five minutes late',
    minutes: ALL,
    changes: {
      [session(`${stream.streamDelay.name}_bucket`, { le: '60' })]: counter([30, BEFORE], [24, DURING], [30, AFTER]),
    },
    checks: [
      { at: BEFORE + 5, firing: [] },
      { at: BEFORE + 25, firing: [warning('BGPStreamDelayed', SESSION)] },
      { at: BEFORE + DURING + 16, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 25,
        severity: 'warning',
        labels: SESSION_LABELS,
        summary: `BGP stream bgproutes/0 of ${INSTANCE} is late by 3m 0s`,
        description:
          'One message in ten is older than 3m 0s when it arrives (limit 2 minutes). Numbers and alerts are late by that much. ' +
          "Check first its event loop delay and CPU on the Exporter dashboard; else the delay is the service's.",
      },
    ],
  },
  {
    alert: 'BGPStreamDelayed',
    kinds: ['not firing'],
    name: 'one message in thirty is late',
    minutes: ALL,
    changes: {
      [session(`${stream.streamDelay.name}_bucket`, { le: '60' })]: counter([30, BEFORE], [29, DURING], [30, AFTER]),
    },
    checks: [BEFORE + 15, BEFORE + 29].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamDelayed',
    kinds: ['not firing'],
    name: 'calm prefixes: a message in five minutes, and each of them late',
    minutes: ALL,
    changes: Object.fromEntries(
      (
        [
          ['_bucket', '60'],
          ['_bucket', '300'],
          ['_bucket', '+Inf'],
          ['_count', undefined],
        ] as const
      ).map(([suffix, le]) => [
        session(`${stream.streamDelay.name}${suffix}`, le === undefined ? {} : { le }),
        le === '60' ? levels([0, ALL]) : levels([0, BEFORE], [1, 5], [2, 5], [3, 5], [4, 5], [5, 5], [6, 5 + AFTER]),
      ]),
    ),
    checks: [BEFORE + 15, BEFORE + 29].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamDecodeFailures',
    kinds: ['firing', 'resolving'],
    name: 'a tenth of the messages cannot be read',
    minutes: ALL,
    changes: {
      [session(stream.streamDecodeFailures.name, { reason: 'invalid_json' })]: counter(
        [0, BEFORE],
        [3, DURING],
        [0, AFTER],
      ),
      [session(stream.streamUpdates.name)]: counter([30, BEFORE], [27, DURING], [30, AFTER]),
    },
    checks: [
      { at: BEFORE + 5, firing: [] },
      { at: BEFORE + 20, firing: [warning('BGPStreamDecodeFailures', SESSION)] },
      { at: BEFORE + DURING + 22, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 20,
        severity: 'warning',
        labels: SESSION_LABELS,
        summary: `BGP stream bgproutes/0 of ${INSTANCE}: 10% of messages cannot be read`,
        description:
          'Limit 1%. Reasons in the last 15 minutes: invalid_json 45. ' +
          'What cannot be read is not in the numbers: withdrawals may be missing. Check first whether the service has changed its format (the log names the keys of such messages once), and whether a newer exporter is out.',
      },
    ],
  },
  {
    alert: 'BGPStreamDecodeFailures',
    kinds: ['not firing'],
    name: 'one frame of thousands cannot be read',
    minutes: ALL,
    changes: {
      [session(stream.streamDecodeFailures.name, { reason: 'invalid_json' })]: levels(
        [0, BEFORE],
        [1, DURING],
        [2, AFTER],
      ),
    },
    checks: [BEFORE + 12, BEFORE + 29, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamDecodeFailures',
    kinds: ['not firing'],
    name: 'keep-alives and errors of the service are no damage, though nothing else comes',
    minutes: ALL,
    changes: {
      [session(stream.streamUpdates.name)]: levels([0, ALL]),
      ...Object.fromEntries(
        ['unknown_record_type', 'service_error'].map((reason) => [
          session(stream.streamDecodeFailures.name, { reason }),
          counter([2, ALL]),
        ]),
      ),
    },
    checks: [BEFORE, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamDecodeFailures',
    kinds: ['firing'],
    name: 'keep-alives do not thin out damage: every message is damaged, one in fifty frames',
    minutes: ALL,
    changes: {
      [session(stream.streamUpdates.name)]: levels([0, ALL]),
      [session(stream.streamDecodeFailures.name, { reason: 'unknown_record_type' })]: counter([98, ALL]),
      [session(stream.streamDecodeFailures.name, { reason: 'invalid_json' })]: counter([2, ALL]),
    },
    checks: [{ at: BEFORE, firing: [warning('BGPStreamDecodeFailures', SESSION)] }],
  },
  {
    alert: 'BGPSubscriptionExpiring',
    kinds: ['firing', 'resolving'],
    name: 'renewals fail; the hour before the end alerts, and a renewal resolves it',
    minutes: 240,
    changes: {
      [session(stream.streamSubscriptionExpiry.name)]: levels([150 * 60, 130], [400 * 60, 110]),
      [session(stream.streamSubscriptionRenewals.name, { result: 'error' })]: counter([0, 60], [1, 70], [0, 110]),
    },
    checks: [
      { at: 90, firing: [] },
      { at: 100, firing: [warning('BGPSubscriptionExpiring', SESSION)] },
      { at: 136, firing: [] },
    ],
    message: [
      {
        at: 120,
        severity: 'warning',
        labels: SESSION_LABELS,
        summary: `The prefixes of session bgproutes/0 of ${INSTANCE} are about to lose their association with the key`,
        description:
          'The association ends in 30m 0s and has not been renewed; after its end the stream is silent although connected. Renewals in the last hour: error 60. ' +
          "Check first the exporter's log for the Live Manager API's answer.",
      },
    ],
  },
  {
    alert: 'BGPSubscriptionExpiring',
    kinds: ['not firing'],
    name: 'renewed every two hours of four',
    minutes: 360,
    changes: {
      [session(stream.streamSubscriptionExpiry.name)]: levels([240 * 60, 120], [360 * 60, 120], [480 * 60, 120]),
    },
    checks: [119, 239, 359].map((at) => ({ at, firing: [] })),
  },
];
