/**
 * Requests to the web server, as bytes over a connection: each answer is whole, of a known status, and has nothing of what
 * the request said in it; the server goes on. And headers, as the functions see them that read them.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { isForeign } from '../../src/outputs/foreign-origin.ts';
import { hasOneHost } from '../../src/outputs/host-header.ts';
import { acceptsGzip, negotiateFormat } from '../../src/outputs/text/negotiation.ts';
import { startWebServer } from '../../src/outputs/web-server.ts';
import { mutatorOf } from './mutation.ts';
import { type FuzzTarget, failedWith, runChecks } from './target.ts';

/** Stands in requests where a careless server might write it into its answer. */
const MARK = '<mark7>';
const REQUESTS = [
  'GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\nAccept-Encoding: gzip\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  `GET /${MARK}?${MARK} HTTP/1.1\r\nHost: x\r\nX-A: ${MARK}\r\n\r\n`,
  'HEAD /-/ready HTTP/1.1\r\nHost: [::1]:10479\r\n\r\nGET /-/healthy HTTP/1.0\r\n\r\n',
  `POST /-/reload HTTP/1.1\r\nHost: x\r\nOrigin: http://${MARK}.example\r\nContent-Length: 3\r\n\r\nabc`,
  'POST /-/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
];
const WORDS = [
  ...[
    '\r\n',
    '\n',
    '\r',
    ' ',
    ':',
    '\u0000',
    '/',
    '%',
    '%00',
    '..',
    '?',
    '#',
    '//',
    'Host: y\r\n',
    'Host:\r\n',
    'Content-Length: -1\r\n',
    'Content-Length: 9\r\n',
  ],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: x, chunked\r\n',
    'Expect: 100-continue\r\n',
    'Upgrade: h2c\r\nConnection: Upgrade\r\n',
    'Range: bytes=0-1\r\n',
  ],
  ...[
    'GET',
    'POST',
    'OPTIONS',
    'CONNECT',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'HTTP/1.1',
    'HTTP/0.9',
    'HTTP/9.9',
    'q=0',
    'q=1e9',
    ';',
    ',',
    '*',
    '"',
    '\u00ff',
    'a'.repeat(17_000),
  ],
];
/** 426 and other answers of a server that does more are none of ours. */
const STATUSES: readonly number[] = [100, 200, 400, 403, 404, 405, 408, 413, 417, 431, 500, 503];

const REQUEST_TARGET: FuzzTarget = {
  name: 'HTTP request',
  share: 2,
  run: async (runs, seed) => {
    const { next } = mutatorOf(
      REQUESTS.map((text) => Buffer.from(text)),
      WORDS,
      seed,
    );
    const errors: string[] = [];
    const server = await startWebServer({
      listenAt: [{ host: '127.0.0.1', port: 0 }],
      telemetryPath: '/metrics',
      render: async () => Buffer.from('up 1\n'),
      ready: () => ({ ok: true }),
      reload: async () => {},
      enableLifecycle: true,
      logger: { debug() {}, info() {}, warn() {}, error: (message: string) => errors.push(message) } as never,
    });
    let sensible = 0;
    try {
      for (let run = 0; run < runs; run++) {
        const input = next();
        const answer = await answerTo(input, server.port);
        try {
          const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d+) /gm)].map((match) => Number(match[1]));
          assert.ok(answer === '' || statuses.length > 0, answer.slice(0, 200));
          for (const status of statuses) assert.ok(STATUSES.includes(status), `status ${status}`);
          assert.ok(!answer.includes(MARK), 'the answer quotes the request');
          assert.ok(!/^(set-cookie|access-control-)/im.test(answer), 'a header that is not ours');
          assert.deepEqual(errors, []);
          if (statuses.includes(200)) sensible++;
        } catch (error) {
          throw failedWith(input, error);
        }
      }
    } finally {
      await server.close();
    }
    return sensible;
  },
};

/** All that comes until the server closes, having been told that nothing follows. */
function answerTo(input: Buffer, port: number): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.end(input));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('end', () => socket.destroy());
    socket.on('close', () => resolve(answer));
  });
}

const HEADERS = [
  ...[
    'application/openmetrics-text;version=1.0.0;charset=utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'text/plain',
    '*/*',
    '',
  ],
  ...[
    'gzip, deflate;q=0.5',
    'br;q=1.0, *;q=0.1, gzip;q=0',
    'http://localhost:10479',
    'http://[::1]:10479',
    'null',
    'https://a.example',
    'a.example:10479',
  ],
];
const HEADER_WORDS = [
  ';q=0',
  ';q=1',
  ';q=1.0001',
  ';q=-1',
  ',',
  ';',
  '"',
  '\\"',
  '=',
  '*',
  '/',
  'gzip',
  'text/plain',
  'version=1.0.0',
  '@',
  '[',
  ']',
  '.',
  ':',
  '%',
  ' ',
  '\t',
];

const HEADER_TARGET: FuzzTarget = {
  name: 'HTTP headers',
  share: 153,
  run: (runs, seed) => {
    const mutator = mutatorOf(
      HEADERS.map((text) => Buffer.from(text)),
      HEADER_WORDS,
      seed,
    );
    return runChecks(runs, mutator.next, (input) => {
      const text = input.toString('latin1');
      const other = mutator.pick(HEADERS);
      const { format, contentType } = negotiateFormat(text);
      assert.ok(
        contentType.startsWith(format === 'text' ? 'text/plain; version=' : 'application/openmetrics-text; version='),
      );
      assert.equal(typeof acceptsGzip(text), 'boolean');
      // A page of another name never gets through, whatever else the request says.
      assert.equal(isForeign({ origin: 'https://evil.example', host: text, 'x-forwarded-host': other }, ['own']), true);
      isForeign({ origin: text, host: other, 'sec-fetch-site': mutator.pick(HEADERS) }, ['own']);
      assert.equal(hasOneHost(['Host', text, 'host', other]), false);
      return hasOneHost(['Host', text]);
    });
  },
};

export const HTTP_TARGETS: readonly FuzzTarget[] = [REQUEST_TARGET, HEADER_TARGET];
