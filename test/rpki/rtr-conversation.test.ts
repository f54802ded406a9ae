import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RpkiData } from '../../src/rpki/rpki-data.ts';
import { Conversation, type Ending, type Update } from '../../src/rpki/rtr/conversation.ts';
import { clampTimers } from '../../src/rpki/rtr/pdu.ts';
import { MAX_DIFFERENCE_PROVIDERS, MAX_DIFFERENCES } from '../../src/rpki/rtr/transaction.ts';
import { RpkiScope } from '../../src/rpki/scope.ts';
import { runs } from '../support/property-runs.ts';
import { recordingPath } from '../support/recordings.ts';
import { EVERYTHING, prefixOf } from './vrp-world.ts';

/** A conversation, and what it said and got. */
class Talk {
  readonly sent: string[] = [];
  readonly updates: Update[] = [];
  readonly endings: Ending[] = [];
  resets = 0;
  readonly conversation: Conversation;

  constructor(scope = EVERYTHING) {
    this.conversation = new Conversation(scope, () => 0, {
      send: (bytes) => this.sent.push(bytes.toString('hex')),
      updated: (update) => this.updates.push(update),
      cacheReset: () => this.resets++,
      ended: (ending) => this.endings.push(ending),
    });
  }

  /** Of a cache that knows no higher version. */
  static at(version: 0 | 1 | 2, scope = EVERYTHING): Talk {
    const talk = new Talk(scope);
    talk.conversation.opened();
    if (version < 2) {
      talk.hear(`0${version}0a0004000000180000000800000000000000000000000000`.slice(0, 48));
      expect(talk.endings.pop()?.again).toBe(true);
      talk.conversation.opened();
    }
    return talk;
  }

  hear(...hex: readonly string[]): this {
    this.conversation.receive(Buffer.from(hex.join(''), 'hex'));
    return this;
  }

  get data(): RpkiData | undefined {
    return this.updates.at(-1)?.data;
  }

  /** All that is held. */
  get held(): string[] {
    const { data } = this;
    if (data === undefined) return [];
    const ends = ['192.0.2.255/32', '198.51.100.255/32', '203.0.113.255/32', '2001:db8::/128'];
    const vrps = ends.flatMap((end) => data.vrps.covering(prefixOf(end), 0));
    const aspas = [...data.aspas.customers].map(
      (customer) => `${customer}: ${data.aspas.providers(customer)?.join(' ')}`,
    );
    return [...new Set(vrps.map(({ prefix, maxLength, asn }) => `${prefix}-${maxLength} ${asn}`)), ...aspas].sort();
  }
}

const VRP_A = '010400000000001401181800c00002000000fbf4';
const VRP_B = '010400000000001401181900c63364000000fbf5';
const withdrawn = (pdu: string) => `${pdu.slice(0, 16)}00${pdu.slice(18)}`;
const response = (session: string) => `0103${session}00000008`;
const end = (session: string, serial: string, timers = '00000e100000025800001c20') =>
  `0107${session}00000018${serial}${timers}`;
const RESET_QUERY = '0102000000000008';
const serialQuery = (session: string, serial: string) => `0101${session}0000000c${serial}`;

/** Version 1, with A held as serial 5 of session aaaa. */
function holding(): Talk {
  const talk = Talk.at(1).hear(response('aaaa'), VRP_A, end('aaaa', '00000005'));
  expect([talk.sent.at(-1), talk.held]).toEqual([RESET_QUERY, ['192.0.2.0/24-24 64500']]);
  talk.sent.length = 0;
  return talk;
}

describe('an answer', () => {
  it('counts only when it is whole', () => {
    const talk = holding();
    talk.conversation.refresh();
    talk.hear(response('aaaa'), withdrawn(VRP_A), VRP_B);
    expect(talk.held).toEqual(['192.0.2.0/24-24 64500']);
    talk.hear(end('aaaa', '00000006'));
    expect(talk.held).toEqual(['198.51.100.0/24-25 64501']);
    expect(talk.updates.at(-1)).toMatchObject({ isNew: false, changes: { vrp_added: 1, vrp_removed: 1 } });
    talk.conversation.refresh();
    expect(talk.sent.at(-1)).toBe(serialQuery('aaaa', '00000006'));
  });

  it('that breaks off leaves what is held, and is asked for again from there', () => {
    const talk = holding();
    talk.conversation.refresh();
    talk.hear(response('aaaa'), VRP_B);
    talk.conversation.closed('unavailable', 'gone');
    expect(talk.endings).toEqual([{ result: 'truncated', reason: 'gone', again: false }]);
    expect(talk.held).toEqual(['192.0.2.0/24-24 64500']);
    talk.conversation.opened();
    expect(talk.sent.at(-1)).toBe(serialQuery('aaaa', '00000005'));
  });

  it('of differences of which one is wrong changes nothing, and is reported', () => {
    for (const [wrong, code] of [
      [VRP_A, '0007'],
      [withdrawn(VRP_B), '0006'],
    ]) {
      const talk = holding();
      talk.conversation.refresh();
      talk.hear(response('aaaa'), '010400000000001401181800cb0071000000fbf6', wrong, end('aaaa', '00000006'));
      expect(talk.held).toEqual(['192.0.2.0/24-24 64500']);
      expect([talk.data?.total, talk.endings[0].result]).toEqual([1, 'protocol_error']);
      expect(talk.sent.at(-1)?.slice(0, 8)).toBe(`010a${code}`);
      talk.conversation.opened();
      expect(talk.sent.at(-1)).toBe(RESET_QUERY);
    }
  });

  it('of more differences than may be applied in one turn changes nothing, and all is asked for at once', () => {
    const vrps = Array.from(
      { length: MAX_DIFFERENCES + 1 },
      (_, i) => `0104000000000014011818000a${(i << 8).toString(16).padStart(6, '0')}0000fbf6`,
    );
    const [most, tooMany] = [vrps.slice(1), vrps].map((differences) => {
      const talk = holding();
      talk.conversation.refresh();
      return talk.hear(response('aaaa'), ...differences, end('aaaa', '00000006'));
    });
    expect([most.endings, most.data?.total]).toEqual([[], 1 + MAX_DIFFERENCES]);
    expect(tooMany.endings).toEqual([{ result: 'too_large', reason: 'more than a set may hold', again: true }]);
    expect([tooMany.held, tooMany.data?.total]).toEqual([['192.0.2.0/24-24 64500'], 1]);
    tooMany.conversation.opened();
    expect(tooMany.sent.at(-1)).toBe(RESET_QUERY);
  });

  it('of more providers than may be applied in one turn changes nothing, and all is asked for at once', () => {
    const providers = 16_384;
    const length = (12 + 4 * providers).toString(16).padStart(8, '0');
    const aspa = (customer: number) =>
      `020b0100${length}${customer.toString(16).padStart(8, '0')}${Array.from({ length: providers }, (_, i) => (i + 1).toString(16).padStart(8, '0')).join('')}`;
    const differences = Array.from({ length: MAX_DIFFERENCE_PROVIDERS / providers + 1 }, (_, i) => aspa(i + 1));
    const [most, tooMany] = [differences.slice(1), differences].map((some) => {
      const talk = Talk.at(2);
      talk.hear('0203aaaa00000008', VRP_A.replace(/^01/, '02'), end('aaaa', '00000005').replace(/^01/, '02'));
      talk.conversation.refresh();
      return talk.hear('0203aaaa00000008', ...some, end('aaaa', '00000006').replace(/^01/, '02'));
    });
    expect([most.endings, most.data?.aspas.size]).toEqual([[], 4]);
    expect(tooMany.endings).toEqual([{ result: 'too_large', reason: 'more than a set may hold', again: true }]);
    expect(tooMany.data?.aspas.size).toBe(0);
  });

  it('of nothing does not replace what is good, whether it is whole or a difference', () => {
    const whole = holding();
    whole.conversation.refresh();
    whole.hear('0108000000000008', response('aaaa'), end('aaaa', '00000009'));
    const difference = holding();
    difference.conversation.refresh();
    difference.hear(response('aaaa'), withdrawn(VRP_A), end('aaaa', '00000006'));
    for (const talk of [whole, difference]) {
      expect(talk.endings[0].result).toBe('empty');
      expect([talk.held, talk.updates.length]).toEqual([['192.0.2.0/24-24 64500'], 1]);
    }
  });

  it('VRPs that concern no monitored prefix are counted, not kept', () => {
    const talk = Talk.at(1, new RpkiScope([prefixOf('192.0.2.0/24')]));
    talk.hear(response('aaaa'), VRP_A, VRP_B, end('aaaa', '00000005'));
    expect([talk.data?.vrps.size, talk.data?.total]).toEqual([1, 2]);
    talk.conversation.refresh();
    talk.hear(response('aaaa'), withdrawn(VRP_B), end('aaaa', '00000006'));
    expect([talk.data?.vrps.size, talk.data?.total, talk.endings]).toEqual([1, 1, []]);
  });
});

describe('a cache', () => {
  it('that notifies of another serial is asked at once, of the same one not', () => {
    const talk = holding();
    talk.hear('0100aaaa0000000c00000005');
    expect(talk.sent).toEqual([]);
    talk.hear('0100aaaa0000000c00000006', '0100aaaa0000000c00000007');
    expect(talk.sent).toEqual([serialQuery('aaaa', '00000005')]);
  });

  it('that was restarted has another session: all is asked for, what is held stays', () => {
    for (const said of [response('bbbb'), '0100bbbb0000000c00000000']) {
      const talk = holding();
      if (said !== '0100bbbb0000000c00000000') talk.conversation.refresh();
      talk.hear(said);
      expect(talk.endings).toEqual([{ result: 'new_session', reason: expect.any(String), again: true }]);
      expect(talk.held).toEqual(['192.0.2.0/24-24 64500']);
      talk.conversation.opened();
      expect(talk.sent.at(-1)).toBe(RESET_QUERY);
    }
  });

  it('that cannot tell the difference is asked for all on the same connection', () => {
    const talk = holding();
    talk.conversation.refresh();
    talk.hear('0108000000000008');
    expect([talk.sent.at(-1), talk.resets, talk.endings]).toEqual([RESET_QUERY, 1, []]);
    talk.hear(response('aaaa'), VRP_B, end('aaaa', '00000009'));
    expect(talk.updates.at(-1)).toMatchObject({ isNew: true, changes: { vrp_added: 1, vrp_removed: 1 } });
  });

  it.each([
    ['a length below that of a header', '0104000000000007'],
    ['a length beyond all bounds', '010400007fffffff'],
    ['a length that its type has not', '0104000000000015'],
    ['a prefix longer than its longest', '010400000000001401191800c00002000000fbf4'],
    ['a longest length over 32', '010400000000001401182100c00002000000fbf4'],
    ['host bits', '010400000000001401181800c00002010000fbf4'],
    ['an unknown type', '010c000000000008'],
    ['an ASPA in version 1', '010b0100000000100000fbf40000fbfe'],
    ['a prefix out of place', VRP_A],
    ['an End of Data out of place', end('aaaa', '00000005')],
    ['another version', '0203aaaa00000008'],
    ['a Cache Reset that answers nothing', '0108000000000008'],
  ])('that sends %s is told so, and the connection ends', (_, hex) => {
    const talk = holding().hear(hex);
    expect(talk.sent.at(-1)?.slice(0, 4)).toBe('010a');
    expect(talk.endings).toMatchObject([{ result: 'protocol_error', again: false }]);
    expect(talk.held).toEqual(['192.0.2.0/24-24 64500']);
    // What comes afterwards says nothing.
    talk.hear(response('aaaa'), VRP_B, end('aaaa', '00000006'));
    expect([talk.endings.length, talk.updates.length]).toEqual([1, 1]);
  });

  it('that reports an error is not answered by one', () => {
    const talk = holding().hear('010a0001000000180000000000000008626f6f6d0a1b5b31');
    expect(talk.sent).toEqual([]);
    expect(talk.endings).toEqual([{ result: 'error_report', reason: 'error 1: boom [1', again: false }]);
  });

  it('that notifies without end is left', () => {
    const talk = holding();
    for (let i = 0; i < 200; i++) talk.hear('0100aaaa0000000c00000005'.repeat(60));
    expect(talk.endings).toMatchObject([{ result: 'protocol_error', again: false }]);
  });

  it('that closes at each version without a word is asked in all of them, then not at once', () => {
    const talk = new Talk();
    for (const [query, again] of [
      ['0202000000000008', true],
      ['0102000000000008', true],
      ['0002000000000008', false],
      ['0202000000000008', true],
    ]) {
      talk.conversation.opened();
      expect(talk.sent.at(-1)).toBe(query);
      talk.conversation.closed('unavailable', 'closed');
      expect(talk.endings.at(-1)).toMatchObject({ result: 'unavailable', again });
    }
  });

  it('that answers in a lower version is talked to in that', () => {
    const talk = new Talk();
    talk.conversation.opened();
    talk.hear(response('aaaa'), VRP_A, end('aaaa', '00000005'));
    talk.conversation.refresh();
    expect([talk.held, talk.sent.at(-1)]).toEqual([['192.0.2.0/24-24 64500'], serialQuery('aaaa', '00000005')]);
  });

  it('of version 0 says no timers', () => {
    const talk = Talk.at(0).hear('0003aaaa00000008', `00${VRP_A.slice(2)}`, '0007aaaa0000000c00000001');
    expect(talk.updates[0].timers).toEqual({ refreshS: 3_600, retryS: 600, expireS: 7_200 });
  });

  it('is asked for all when other prefixes are monitored, also while it answers', () => {
    const talk = holding();
    const scope = new RpkiScope([prefixOf('198.51.100.0/24')]);
    talk.conversation.refresh();
    talk.conversation.watch(scope);
    talk.hear(response('aaaa'), VRP_B, end('aaaa', '00000006'));
    expect(talk.sent.at(-1)).toBe(RESET_QUERY);
    talk.hear(response('aaaa'), VRP_A, VRP_B, end('aaaa', '00000006'));
    expect([talk.data?.vrps.scope, talk.held, talk.data?.total]).toEqual([scope, ['198.51.100.0/24-25 64501'], 2]);
  });
});

it.each([
  [
    { refreshS: 0, retryS: 0, expireS: 0 },
    { refreshS: 10, retryS: 10, expireS: 600 },
  ],
  [
    { refreshS: 4e9, retryS: 4e9, expireS: 4e9 },
    { refreshS: 86_400, retryS: 7_200, expireS: 172_800 },
  ],
  [
    { refreshS: 3_600, retryS: 600, expireS: 700 },
    { refreshS: 3_600, retryS: 600, expireS: 7_200 },
  ],
])('timers are brought within their bounds: %o', (said, clamped) => {
  expect(clampTimers(said)).toEqual(clamped);
});

const CAPTURES = recordingPath('rtr-captures.json');
if (CAPTURES !== undefined) {
  interface Capture {
    readonly server: string;
    readonly name: string;
    readonly query: string;
    readonly answer: readonly string[];
    readonly then: string;
  }
  const { captures } = JSON.parse(readFileSync(CAPTURES, 'utf8')) as { readonly captures: readonly Capture[] };
  const of = (server: string, name: string) => {
    const found = captures.find((one) => one.server.startsWith(server) && one.name.startsWith(name));
    if (found === undefined) throw new Error(`no capture ${name} of ${server}`);
    return found;
  };
  const FIVE = [
    '192.0.2.0/24-24 64500',
    '198.51.100.0/24-25 64501',
    '2001:db8::/32-48 64500',
    '203.0.113.0/24-24 64502',
    '203.0.113.128/25-32 0',
  ];
  const TWO = ['192.0.2.0/24-24 64500', '2001:db8::/32-48 64500'];

  describe('real caches', () => {
    it.each([
      ['Routinator', 'reset query, version 0', 0, FIVE],
      ['Routinator', 'reset query, version 1', 1, FIVE],
      ['Routinator', 'reset query, version 2', 2, FIVE],
      ['StayRTR', 'reset query, version 0', 0, TWO],
      ['StayRTR', 'reset query, version 1', 1, TWO],
      ['RTRTR', 'reset query, version 1', 1, FIVE],
      ['RTRTR', 'reset query, version 2', 2, [...FIVE, '64500: 64510 64511', '64510: ']],
    ] as const)('%s, %s', (server, name, version, held) => {
      const { query, answer } = of(server, name);
      for (const cut of [1, 5, 1_000]) {
        const talk = Talk.at(version);
        expect(talk.sent.at(-1)).toBe(query);
        const bytes = Buffer.from(answer.join(''), 'hex');
        for (let at = 0; at < bytes.length; at += cut) talk.conversation.receive(bytes.subarray(at, at + cut));
        expect([talk.held, talk.endings]).toEqual([[...held].sort(), []]);
      }
    });

    it.each([
      ['Routinator', 'reset query, version 1', 'serial query for the serial before', 1],
      ['Routinator', 'reset query, version 1', 'serial query for what is current', 1],
      ['StayRTR', 'reset query, version 1', 'serial query for what is current', 1],
      ['RTRTR', 'reset query, version 1', 'the same in version 1', 1],
      ['RTRTR', 'reset query, version 2', 'serial query for the serial before', 2],
    ] as const)('%s, %s, then %s', (server, first, then, version) => {
      const talk = Talk.at(version).hear(...of(server, first).answer);
      const before = talk.held;
      const { query, answer } = of(server, then);
      talk.conversation.refresh();
      expect(talk.sent.at(-1)).toBe(query);
      talk.hear(...answer);
      expect(talk.endings).toEqual([]);
      if (then === 'serial query for what is current') expect(talk.held).toEqual(before);
      else if (server === 'Routinator')
        expect(talk.held).toEqual(
          [...FIVE.filter((one) => !one.startsWith('203.0.113.0')), '192.0.2.128/25-25 64503'].sort(),
        );
      else if (version === 1) expect(talk.held).toEqual(FIVE.slice(1));
      else expect(talk.held).toEqual([...FIVE.slice(1), '64500: 64510 64512', '64501: 64510'].sort());
    });

    it('a change is notified, and asked for', () => {
      for (const [server, version] of [
        ['Routinator', 1],
        ['RTRTR', 2],
      ] as const) {
        const talk = Talk.at(version).hear(
          ...captures.find((one) => one.server.startsWith(server) && one.name.includes('then'))!.answer,
        );
        expect(talk.conversation.isWaiting).toBe(true);
      }
    });

    it('Cache Reset leads to a Reset Query', () => {
      for (const [server, version] of [
        ['Routinator', 1],
        ['StayRTR', 1],
        ['RTRTR', 2],
      ] as const) {
        const talk = Talk.at(version).hear(...of(server, `reset query, version ${version}`).answer);
        talk.conversation.refresh();
        talk.hear(...of(server, 'serial query for a serial it does not have').answer);
        expect([talk.resets, talk.sent.at(-1)]).toEqual([1, `0${version}02000000000008`]);
      }
    });

    it('StayRTR does not know the session: another connection asks for all', () => {
      const talk = Talk.at(1).hear(...of('StayRTR', 'reset query, version 1').answer);
      talk.conversation.closed('unavailable', 'closed');
      talk.conversation.opened();
      talk.hear(...of('StayRTR', 'serial query with a foreign session').answer);
      expect(talk.endings.at(-1)).toMatchObject({ result: 'error_report', again: true });
      talk.conversation.opened();
      expect(talk.sent.at(-1)).toBe(RESET_QUERY);
    });

    it('the ASPA of an early draft leads to version 1', () => {
      const talk = Talk.at(2).hear(...of('StayRTR', 'reset query, version 2').answer);
      expect(talk.endings).toMatchObject([{ result: 'protocol_error', again: true }]);
      talk.conversation.opened();
      expect(talk.sent.at(-1)).toBe(RESET_QUERY);
    });

    it('a version that it does not know leads to a lower one', () => {
      const routinator = Talk.at(2);
      routinator.hear(`01${of('Routinator', 'reset query, a version it does not know').answer[0].slice(2)}`);
      expect(routinator.endings).toMatchObject([{ result: 'error_report', again: true }]);
      routinator.conversation.opened();
      expect(routinator.sent.at(-1)).toBe(RESET_QUERY);
      const stayrtr = Talk.at(2).hear(...of('StayRTR', 'reset query, a version it does not know').answer);
      stayrtr.conversation.opened();
      expect(stayrtr.sent.at(-1)).toBe('0002000000000008');
    });

    it('no data yet is no fault of the protocol', () => {
      const talk = Talk.at(1).hear(...of('RTRTR', 'reset query while it has no data yet').answer);
      expect(talk.endings).toEqual([{ result: 'no_data', reason: 'Running initial validation', again: false }]);
    });

    it('whatever bytes come, in whatever pieces, nothing throws, and what is held is a whole answer', () => {
      const streams = captures.map(({ answer }) => Buffer.from(answer.join(''), 'hex'));
      const edit = fc.tuple(fc.nat(400), fc.nat(255));
      fc.assert(
        fc.property(
          fc.array(
            fc.tuple(fc.constantFrom(...streams), fc.array(edit, { maxLength: 3 }), fc.integer({ min: 1, max: 64 })),
            { maxLength: 5 },
          ),
          (steps) => {
            const talk = new Talk();
            for (const [stream, edits, cut] of steps) {
              talk.conversation.opened();
              const bytes = Buffer.from(stream);
              for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
              for (let at = 0; at < bytes.length; at += cut) talk.conversation.receive(bytes.subarray(at, at + cut));
              talk.conversation.closed('unavailable', 'end');
              const { data } = talk;
              if (data !== undefined) expect(data.total).toBeGreaterThanOrEqual(data.vrps.size);
            }
            expect(talk.endings.length).toBe(steps.length);
          },
        ),
        runs(1_000),
      );
    });
  });
}
