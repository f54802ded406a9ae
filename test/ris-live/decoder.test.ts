import { expect, it } from 'vitest';
import { RisDecoder } from '../../src/ris-live/decoder.ts';
import { RIS_DECODE_FAILURES } from '../../src/ris-live/message.ts';
import type { EventSink } from '../../src/stream/frame-decoder.ts';
import { fixturePath, readLines } from '../support/recordings.ts';

/** What a decoder tells, as short words in order. */
function told(...frames: string[]): string[] {
  const words: string[] = [];
  const sink: EventSink = {
    integers: () => words.push('integers'),
    update: ({ withdrawn, announced }) => words.push(`-${withdrawn.join(',')} +${announced.join(',')}`),
    peerState: ({ vp, up, timeUs }) => words.push(`${vp.asn}_${vp.ip} ${up ? 'up' : 'down'} ${timeUs}`),
    failed: (reason) => words.push(reason),
    unused: (reason) => words.push(`unused ${reason}`),
    passed: () => words.push('passed'),
    general: () => words.push('general'),
    remark: (text) => words.push(text),
  };
  const decoder = new RisDecoder();
  decoder.decode(
    frames.map((frame) => Buffer.from(frame)),
    sink,
  );
  for (const word of words) if (/^\w+$/.test(word)) expect(decoder.failures).toContain(word);
  return words;
}

it('frames become events in their order; what says nothing of routes gives none', () => {
  expect(told(...readLines(fixturePath('ris-live-frames.jsonl')))).toEqual([
    '-198.51.100.128/25 +203.0.113.0/24,198.51.100.0/25',
    '-2001:db8:200::/48,2001:db8::/33 +2001:db8:100::/48',
    '- +2001:db8:300::/40,2001:db8:400::/40',
    '-203.0.113.0/24 +',
    '64496_192.0.2.1 down 1789019605000000',
    '64496_192.0.2.1 down 1789019607000000',
  ]);
});

it('what cannot be read has a reason, before what can', () => {
  const data = { timestamp: 1, peer: '192.0.2.1', peer_asn: '1', type: 'UPDATE' };
  expect(
    told(
      '[]',
      '{',
      '{"type":"ris_error","data":{"message":"no"}}',
      JSON.stringify({ type: 'ris_message', data: { ...data, withdrawals: ['10.0.0.0/8', 'x'] } }),
    ),
  ).toEqual(['not_an_object', 'invalid_json', 'service_error', 'invalid_prefix', '-10.0.0.0/8 +']);
  expect(new RisDecoder().failures).toBe(RIS_DECODE_FAILURES);
});
