/** Frames for the fuzz test: messages of a corpus as they are, spelt oddly, broken, spliced, and bytes of all kinds. */

export interface FuzzedFrame {
  readonly frame: Buffer;
  /** As it stands in the corpus. */
  readonly valid: boolean;
}

/** Uniform from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Message = Record<string, unknown>;

const WITHDRAWN_KEYS = [
  'withdraws',
  'withdrawn',
  'withdrawals',
  'withdrawn_prefixes',
  'withdraw',
  'withdrawn-prefixes',
  'gone',
];
const KEYS = [
  'record_type',
  'vp',
  'bmp_peer',
  'sec',
  'Usec',
  'prefixes',
  'as-path',
  'communities',
  'nexthop',
  'origin',
];
const ODD_PREFIXES = [
  ...[
    '192.0.2.0/24',
    '100.64.0.0/10',
    '100.100.100.0/24',
    '2001:67c:4e8::/48',
    '2001:67C:4E8:0::/48',
    '0.0.0.0/0',
    '::/0',
  ],
  ...['192.0.2.1/24', '192.0.2.0', '192.0.2.0/33', '192.0.02.0/24', ' 192.0.2.0/24', '192.0.2.0/24 ', '', ',', '/'],
];
const ODD_PATHS = [
  ...[
    '',
    ' ',
    '0',
    '23456',
    '64500 64500',
    '4294967295',
    '4294967296',
    '64500  64501',
    '64500 064501',
    ' 64500',
    '64500 ',
  ],
  ...[
    '64500 {64501}',
    '64500 {64502,64501}',
    '{64501 64502}',
    '64500 (65001 65002)',
    '[65001,65002] 64500',
    '64500 64501 64502 {',
  ],
  ...['1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17', '65001.1 64500', '-1', 'x', '64500,64501'],
];
const ODD_VALUES = [
  null,
  true,
  0,
  -1,
  1.5,
  1e21,
  '',
  ' ',
  'é',
  '\u0000',
  '"',
  '\\',
  '\u2028',
  [],
  {},
  [null],
  ['192.0.2.0/24'],
];
const ODD_TIMES = [
  0,
  1,
  -1,
  1.5,
  1e9,
  7_258_118_400,
  7_258_118_401,
  99_999_999_999,
  '1700000000',
  '0001700000',
  '',
  '1e9',
  ' 1',
  null,
];
const ODD_VPS = [
  '64500_192.0.2.1',
  '064500_192.0.2.1',
  '64500_192.0.02.1',
  '64500_2001:DB8::1',
  '64500',
  '_',
  '64500_192.0.2.1_',
  '',
];
/** Bytes that mean something in JSON or in a value. */
const ALPHABET = Buffer.from('{}[]",:\\/ \t\n\r0123456789abcdefINFGPu_-+.e{}()');

/** A source of frames; the same seed gives the same frames in the same order. */
export function frameMaker(corpus: readonly string[], seed: number): () => FuzzedFrame {
  const random = randomFrom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const one = <T>(of: readonly T[]): T => of[below(of.length)];
  const line = () => one(corpus);

  /** The message with one thing about it changed. */
  const odd = (message: Message): void => {
    const kind = below(14);
    if (kind === 0) delete message[one(Object.keys(message))];
    else if (kind === 1) message[one([...KEYS, ...WITHDRAWN_KEYS, 'seq', 'error', '', '__proto__'])] = one(ODD_VALUES);
    else if (kind === 2) message.prefixes = list(below(4));
    else if (kind === 3) message[one(WITHDRAWN_KEYS)] = list(below(4));
    else if (kind === 4) message['as-path'] = one(ODD_PATHS);
    else if (kind === 5) message[one(['sec', 'Usec'])] = one(ODD_TIMES);
    else if (kind === 6) message[one(['vp', 'bmp_peer'])] = one([...ODD_VPS, message.vp]);
    else if (kind === 7) message.record_type = one(['update', 'bmp_update', 'rib', 'Update', '', 'updates']);
    else if (kind === 8) message['as-path'] = `${message['as-path'] ?? ''} ${below(70_000)}`;
    else if (kind === 9) message.prefixes = [message.prefixes, list(1)].flat();
    else if (kind === 10)
      message.communities = one(['', '64500:1', '64500:1 ', 64500, 'ü', 'a\\b', '\u007f', '~', ' ']);
    else if (kind === 11)
      message[one(['nexthop', 'origin'])] = one(['', 'IGP', 'EGP', 0, 2, '192.0.2.1', '2001:db8::1 fe80::1', null]);
    else if (kind === 12) message.sec = String(message.sec);
    else message[one(WITHDRAWN_KEYS)] = message.prefixes ?? '';
  };
  const list = (count: number) =>
    Array.from({ length: count }, () => {
      const { prefixes, withdraws } = JSON.parse(line()) as { prefixes?: string; withdraws?: string };
      return random() < 0.5 ? one(ODD_PREFIXES) : (prefixes ?? withdraws ?? '');
    }).join(one([',', ',', ',', ', ', ',,', ' ']));

  /** Spelt as JSON allows it: in another order, with blanks, escapes, keys twice. */
  const spelt = (message: Message): string => {
    let entries = Object.entries(message);
    if (random() < 0.3) entries = entries.sort(() => random() - 0.5);
    if (random() < 0.1) entries.push(one(entries) ?? ['vp', '']);
    const blank = one(['', '', ' ', '  ', '\n', '\t']);
    const texts = entries.map(([key, value]) => {
      let text = JSON.stringify(value) ?? 'null';
      if (random() < 0.05) text = text.replace(/[/0-9]/, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
      if (random() < 0.05) text = text.replace('/', '\\/');
      const name = random() < 0.02 ? JSON.stringify(key).replace('e', '\\u0065') : JSON.stringify(key);
      return `${blank}${name}${one(['', '', blank])}:${blank}${text}`;
    });
    return `{${texts.join(`${one(['', '', blank])},`)}${blank}}${random() < 0.05 ? one([' ', '\n', '}', ',', '\0', '{}']) : ''}`;
  };

  const mutated = (bytes: Buffer): Buffer => {
    let all = bytes;
    for (let edits = 1 + below(4); edits > 0; edits--) {
      const at = below(all.length + 1);
      const kind = below(7);
      if (kind === 0) all = Buffer.concat([all.subarray(0, at), all.subarray(at + 1 + below(3))]);
      else if (kind === 1)
        all = Buffer.concat([all.subarray(0, at), Buffer.from([one([...ALPHABET])]), all.subarray(at)]);
      else if (kind === 2) all = Buffer.concat([all.subarray(0, at), Buffer.from([below(256)]), all.subarray(at + 1)]);
      else if (kind === 3) all = all.subarray(0, at);
      else if (kind === 4) all = Buffer.concat([all.subarray(0, at), all.subarray(Math.max(0, at - below(20)))]);
      else if (kind === 5) all = Buffer.concat([all, Buffer.from([one([...ALPHABET])])]);
      else {
        all = Buffer.from(all);
        if (at < all.length) all[at] ^= 1 << below(8);
      }
    }
    return all;
  };

  return () => {
    const dice = random();
    if (dice < 0.35) return { frame: Buffer.from(line()), valid: true };
    if (dice < 0.6) {
      const message = JSON.parse(line()) as Message;
      for (let changes = below(3); changes >= 0; changes--) odd(message);
      return { frame: Buffer.from(spelt(message)), valid: false };
    }
    if (dice < 0.85) return { frame: mutated(Buffer.from(line())), valid: false };
    if (dice < 0.9) {
      const [first, second] = [Buffer.from(line()), Buffer.from(line())];
      const spliced = Buffer.concat([first.subarray(0, below(first.length)), second.subarray(below(second.length))]);
      return { frame: spliced, valid: false };
    }
    const length = below(one([4, 40, 400]));
    const any = random() < 0.5;
    return {
      frame: Buffer.from(Array.from({ length }, () => (any ? below(256) : one([...ALPHABET])))),
      valid: false,
    };
  };
}
