/** Kafka records of BMP: whatever the bytes are, the decoder ends with events and reasons, and its numbers stay right. */

import { parseAsPath } from '../../src/bgp/as-path.ts';
import { parsePrefix } from '../../src/bgp/prefix.ts';
import { BmpDecoder } from '../../src/kafka/bmp/decoder.ts';
import { RecordFilter } from '../../src/kafka/bmp/record-filter.ts';
import { recordFrame } from '../../src/kafka/record-frame.ts';
import { filterOf, Heard } from '../kafka/bmp/heard.ts';
import * as bytes from '../kafka/bmp/messages.ts';
import { mutatorOf } from './mutation.ts';
import { type FuzzTarget, runChecks } from './target.ts';

const {
  addPath,
  announce,
  attribute,
  bmp,
  hex,
  nlri,
  open,
  openBmp,
  peerDown,
  peerUp,
  routeMonitoring,
  update,
  withdraw,
} = bytes;
const TIME = { seconds: 1_767_225_600 };
const MAX_PEERS = 50;
const LONG = Array.from({ length: 255 }, (_, i) => 64_500 + i);

const MESSAGES = [
  routeMonitoring(TIME, announce(['192.0.2.0/24', '192.0.2.128/25', '198.51.100.0/24'], [64_501, 64_500])),
  routeMonitoring({ ...TIME, flags: 0x40 }, announce(['192.0.2.0/24'], LONG)),
  routeMonitoring(
    { ...TIME, flags: 0x20 },
    update({
      attributes: [attribute(2, bytes.sequence([64_501, 23_456], 2)), attribute(17, bytes.sequence([4_200_000_000]))],
      announced: nlri('192.0.2.0/24'),
    }),
  ),
  routeMonitoring(
    { ip: '2001:db8::1' },
    update({
      attributes: [
        attribute(2, bytes.sequence([64_501])),
        attribute(
          14,
          Buffer.concat([hex('0002 01 10'), bytes.address('2001:db8::1'), hex('00'), nlri('2001:db8::/32')]),
        ),
        attribute(15, Buffer.concat([hex('0002 01'), nlri('2001:db8:1::/48')])),
      ],
    }),
  ),
  routeMonitoring(TIME, announce(['192.0.2.0/24#1', '192.0.2.0/24#2'], [64_501])),
  routeMonitoring(TIME, withdraw('192.0.2.0/24')),
  routeMonitoring(TIME, update({})),
  peerUp(TIME, open(65_000, addPath(1, 1), addPath(2, 3)), open(64_501, addPath(1, 2), addPath(2, 3))),
  peerUp(TIME),
  peerDown(TIME),
  bmp(4, hex('0002 0001 41')),
  bmp(5, hex('0001 0002 0000')),
  bmp(1, bytes.peerHeader(TIME)),
];
const RECORDS = MESSAGES.flatMap((message) => [
  message,
  openBmp(message),
  Buffer.concat([Buffer.from(`V: 1.7\nR_HASH: a\nL: ${message.length}\n\n`), message]),
]);

export const BMP_TARGET: FuzzTarget = {
  name: 'bmp-record',
  share: 60,
  run: async (runs, seed) => {
    const mutator = mutatorOf(
      RECORDS,
      ['OBMP', '\x03\x00\x00\x00\x06\x04', '\xff\xff\xff\xff', '\x00\x00\x00\x01'],
      seed,
    );
    const filter = filterOf('192.0.2.0/24', '2001:db8::/32');
    const atReceipt = new RecordFilter(filter);
    let decoder = new BmpDecoder({ filter, maxPeers: MAX_PEERS });
    let inputs = 0;
    const next = (): Buffer => {
      // What one feed says is not taken from another: a decoder that begins takes the next.
      if (inputs++ % 40 === 0) decoder = new BmpDecoder({ filter, maxPeers: MAX_PEERS });
      return mutator.next();
    };
    return runChecks(runs, next, (record) => check(decoder, atReceipt, record, Math.floor(mutator.random() * 4)));
  },
};

/**
 * What does not make a record one of use: when it has no monitored prefix, whether read with path identifiers or without,
 * neither its peer nor what that peer said of path identifiers is looked at.
 */
const OF_A_PEER: ReadonlySet<string> = new Set([
  'unused other_rib',
  'unused adj_rib_out',
  'failed invalid_vp',
  'failed peer_limit',
  'failed invalid_prefix',
]);

function check(decoder: BmpDecoder, atReceipt: RecordFilter, record: Buffer, channel: number): boolean {
  const heard = new Heard();
  const isNeeded = atReceipt.isNeeded(record);
  decoder.decode([recordFrame(1_767_225_605_000, channel, record)], heard);
  const isOfUse = heard.words.some((word) => !word.startsWith('passed') && !OF_A_PEER.has(word));
  if (isOfUse && !isNeeded) throw new Error(`turned away: ${heard.words.join()}`);
  for (const { vp, timeUs, withdrawn, announced, attributes } of heard.updates) {
    for (const text of [...withdrawn, ...announced])
      if (parsePrefix(text)?.text !== text || !/^(?:192\.0\.2\.|2001:db8:)/.test(text))
        throw new Error(`${text} was not asked for`);
    if ((attributes !== undefined) !== announced.length > 0)
      throw new Error('attributes without an announcement, or none');
    if (attributes !== undefined && parseAsPath(attributes.asPath) === undefined)
      throw new Error(`no path: ${attributes.asPath}`);
    if (!(timeUs >= 0) || !(vp.asn > 0)) throw new Error(`time ${timeUs}, AS ${vp.asn}`);
    if (withdrawn.length + announced.length === 0) throw new Error('an update of nothing');
  }
  for (const word of heard.words) {
    const [, kind, reason] = /^(failed|unused) (.*)$/.exec(word) ?? [];
    const known: readonly string[] = kind === 'failed' ? decoder.failures : decoder.unused;
    if (kind !== undefined && !known.includes(reason)) throw new Error(`an unknown reason: ${word}`);
  }
  if (decoder.peers > MAX_PEERS) throw new Error(`${decoder.peers} peers`);
  return heard.updates.length > 0;
}
