import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorText, foreignText, MAX_FOREIGN_TEXT, redact, redactor } from '../../src/secrets/redaction.ts';

describe('redact', () => {
  it('replaces every secret wherever it is', () => {
    expect(redact('key s3cret-1 and s3cret-2, s3cret-1', ['s3cret-1', 's3cret-2'])).toBe(
      'key [redacted] and [redacted], [redacted]',
    );
  });

  it('replaces it URL-encoded, in either case of the digits, and as a form has it', () => {
    const secret = 'k/y+ä b';
    for (const spelt of ['k/y+ä b', 'k%2Fy%2B%C3%A4%20b', 'k%2fy%2b%c3%a4+b', 'k/y%2Bä%20b']) {
      expect(redact(`at ${spelt} end`, [secret])).toBe('at [redacted] end');
    }
  });

  it('replaces it as in a JSON string', () => {
    const secret = 'a"b\\c-d';
    expect(redact(JSON.stringify({ text: secret }), [secret])).toBe('{"text":"[redacted]"}');
  });

  it('replaces the value of api_key, of whomever it is', () => {
    expect(redact('GET wss://host/?api_key=abc-def&x=1 failed', [])).toBe(
      'GET wss://host/?api_key=[redacted]&x=1 failed',
    );
    expect(redact('?API_KEY%3Dabc', [])).toBe('?API_KEY%3D[redacted]');
    expect(redact('api_keys=2', [])).toBe('api_keys=2');
  });

  it('takes the longest of secrets that hold each other, and nothing from its own replacement', () => {
    expect(redact('abcdefg abcdef', ['abcdef', 'abcdefg', 'redacted'])).toBe('[redacted] [redacted]');
  });

  it('leaves words whole that hold a secret of less than six characters, and hides it as a value of api_key', () => {
    expect(redact('demo: the demonstration of ?api_key=demo', ['demo', 'e'])).toBe(
      'demo: the demonstration of ?api_key=[redacted]',
    );
  });

  const KEY = 'S3cr+t/K%y&x=9.Zq_7';
  const entities = (digits: (code: number) => string) =>
    [...KEY].map((character) => `&#${digits(character.charCodeAt(0))};`).join('');

  it.each([
    ['in lower case', KEY.toLowerCase()],
    ['in upper case', KEY.toUpperCase()],
    ['encoded and in upper case', encodeURIComponent(KEY).toUpperCase()],
    ['encoded twice', encodeURIComponent(encodeURIComponent(KEY))],
    ['encoded three times', encodeURIComponent(encodeURIComponent(encodeURIComponent(KEY)))],
    ['with an entity of HTML', KEY.replace('&', '&amp;')],
    ['with every sign an entity', 'S3cr&plus;t&sol;K&percnt;y&amp;x&equals;9&period;Zq&lowbar;7'],
    ['in decimal entities', entities((code) => String(code))],
    ['in hexadecimal entities', entities((code) => `x${code.toString(16)}`)],
    ['in escapes of JSON', [...KEY].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')],
    ['encoded inside JSON inside JSON', JSON.stringify(JSON.stringify(encodeURIComponent(KEY))).slice(4, -4)],
    ['in base64', Buffer.from(KEY).toString('base64').replace(/=+$/, '')],
    ['in base64 of URLs', Buffer.from(KEY).toString('base64url')],
    ['in hexadecimal', Buffer.from(KEY).toString('hex')],
    ['with a line break inside', `${KEY.slice(0, 9)}\n${KEY.slice(9)}`],
    ['with an encoded line break inside', `${KEY.slice(0, 9)}%0D%0A${KEY.slice(9)}`],
    ['with blanks between', [...KEY].join(' ')],
    ['with characters between that show nothing', [...KEY].join('\u200b')],
    ['of which the first 12 characters are left', KEY.slice(0, 12)],
    ['of which the last 10 characters are left', KEY.slice(-10)],
  ])('replaces a key %s', (_, spelt) => {
    expect(redact(`bad one ${spelt}, sorry`, [KEY])).toBe('bad one [redacted], sorry');
  });

  it('replaces a key that is the password of Basic authentication, wherever it stands in the base64', () => {
    for (const user of ['', 'u', 'us', 'use', 'user']) {
      const basic = Buffer.from(`${user}:${KEY}`).toString('base64');
      const shown = redact(`authorization: Basic ${basic}!`, [KEY]).replace(/^.*Basic |!$/g, '');
      // At most what stands for the user name, and two characters that the key shares with its neighbours.
      expect(shown.replace('[redacted]', '').length).toBeLessThanOrEqual(Math.ceil((user.length + 1) * 1.4) + 3);
    }
  });

  it('replaces the beginning of a key at the end of a text that was cut', () => {
    for (let length = 4; length < KEY.length; length++) {
      expect(redact(`bad key ${KEY.slice(0, length)}`, [KEY])).toBe('bad key [redacted]');
    }
    const encoded = encodeURIComponent(KEY); // S3cr%2Bt…
    for (const cut of [5, 6, 7, 8]) expect(redact(`url ${encoded.slice(0, cut)}`, [KEY])).toBe('url [redacted]');
  });

  it('leaves texts alone that only look like a key', () => {
    for (const text of [
      'connect ECONNREFUSED 127.0.0.1:9',
      'S3c and Zq_7 are short',
      'x%20y &amp; \\u0041 &#65;',
      '',
    ]) {
      expect(redact(text, [KEY])).toBe(text);
    }
    expect(redact('the production cluster', ['production-emea-7f2a91c4e8'])).toBe('the production cluster');
  });

  it('finds a key in encodings inside encodings', () => {
    const wrap = fc.constantFrom(
      (text: string) => encodeURIComponent(text),
      (text: string) => JSON.stringify(text).slice(1, -1),
      (text: string) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`),
      (text: string) => text.toUpperCase(),
    );
    const secrets = fc.stringMatching(/^[A-Za-z0-9+/=_.~&%-]{16,40}$/);
    fc.assert(
      fc.property(secrets, fc.array(wrap, { maxLength: 3 }), fc.nat(60), (secret, wraps, at) => {
        const spelt = wraps.reduce((text, one) => one(text), secret);
        const around = `${'.'.repeat(at)} `;
        return redact(`${around}${spelt} end`, [secret]).length <= around.length + '[redacted] end'.length + 6;
      }),
      { numRuns: 500 },
    );
  });

  it('ignores an empty secret', () => {
    expect(redact('text', [''])).toBe('text');
  });

  it('leaves no secret in any text, whatever both hold', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 12, maxLength: 40, unit: 'grapheme' }),
        fc.string({ maxLength: 20 }),
        fc.constantFrom(
          String,
          encodeURIComponent,
          (text: string) => JSON.stringify(text).slice(1, -1),
          (text: string) => new URLSearchParams({ k: text }).toString().slice(2),
        ),
        (secret, around, spell) => {
          fc.pre(!'[redacted]'.includes(secret));
          const text = `${around}${spell(secret)}${around}`;
          return redact(text, [secret]).includes('[redacted]') && !redact(text, [secret]).includes(spell(secret));
        },
      ),
    );
  });
});

describe('foreignText', () => {
  const none = redactor([]);

  it('is one line without control characters', () => {
    expect(foreignText('Invalid\r\n\u001b[31mAPI\u0000 key\u2028\u202e!\t', none)).toBe('Invalid [31mAPI key !');
  });

  it('is bounded, and no half of a secret is left where it was cut', () => {
    const secret = 'a-very-secret-key';
    for (let before = MAX_FOREIGN_TEXT - 30; before < MAX_FOREIGN_TEXT + 5; before++) {
      const text = foreignText('x'.repeat(before) + secret + 'y'.repeat(400), redactor([secret]));
      expect(text.length).toBe(MAX_FOREIGN_TEXT);
      expect(text).not.toMatch(/a-v/);
    }
  });
});

describe('errorText', () => {
  it('tells the causes, without secrets', () => {
    const cause = new Error('connect ECONNREFUSED 127.0.0.1:9 for wss://host/?api_key=KEY-1');
    const error = new TypeError('fetch failed', { cause });
    expect(errorText(error, redactor(['KEY-1']))).toBe(
      'fetch failed: connect ECONNREFUSED 127.0.0.1:9 for wss://host/?api_key=[redacted]',
    );
  });

  it.each([
    [
      'ECONNREFUSED',
      '127.0.0.1',
      'nothing listens at 127.0.0.1:9, or a firewall refuses the connection (ECONNREFUSED)',
    ],
    ['ECONNREFUSED', '::1', 'nothing listens at [::1]:9, or a firewall refuses the connection (ECONNREFUSED)'],
    ['ETIMEDOUT', '192.0.2.1', '192.0.2.1:9 does not answer (ETIMEDOUT)'],
    ['EHOSTUNREACH', '192.0.2.1', '192.0.2.1:9 cannot be reached from this machine (EHOSTUNREACH)'],
    ['ENETUNREACH', '2001:db8::1', 'this machine has no route to [2001:db8::1]:9 (ENETUNREACH)'],
  ])('says what %s of %s means', (code, address, text) => {
    const error = Object.assign(new Error(`connect ${code} ${address}:9`), { code, address, port: 9 });
    expect(errorText(error, redactor([]))).toBe(text);
    // What `net` throws when no address of a name answers.
    const all = Object.assign(new AggregateError([error], ''), { code });
    expect(errorText(all, redactor([]))).toBe(text);
  });

  it.each([
    ['ENOTFOUND', 'the DNS knows no address for ris.example (ENOTFOUND)'],
    ['EAI_AGAIN', 'the DNS gives no answer for ris.example (EAI_AGAIN)'],
  ])('says what %s means', (code, text) => {
    const error = Object.assign(new Error(`getaddrinfo ${code} ris.example`), { code, hostname: 'ris.example' });
    expect(errorText(error, redactor([]))).toBe(text);
  });

  it('leaves an error alone that does not say to where', () => {
    const error = Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' });
    expect(errorText(error, redactor([]))).toBe('connect ETIMEDOUT');
  });

  it('finds something to say of an error without a message', () => {
    const refused = Object.assign(new Error(''), { code: 'ECONNREFUSED' });
    expect(errorText(refused, redactor([]))).toBe('ECONNREFUSED');
    expect(errorText(new AggregateError([new Error('connect ECONNREFUSED ::1:9')], ''), redactor([]))).toBe(
      'connect ECONNREFUSED ::1:9',
    );
    expect(errorText('thrown text', redactor([]))).toBe('thrown text');
  });
});
