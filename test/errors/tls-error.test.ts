import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { request } from '../../src/http/http-request.ts';
import { errorText, redactor } from '../../src/secrets/redaction.ts';
import { makeCertificate } from '../support/certificates.ts';

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))));
});

async function failure(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const url = new URL(`https://127.0.0.1:${port}/`);
  const signal = AbortSignal.timeout(20_000);
  return request(url, { method: 'GET', headers: {}, maxBytes: () => 1000, signal }).then(
    () => 'none',
    (error: unknown) => errorText(error, redactor([])),
  );
}

it('a certificate that nobody trusts is told in plain words, with what to do', async () => {
  const { cert, key } = makeCertificate('a CA of our own');
  expect(await failure(createTlsServer({ cert, key }))).toMatch(
    /^the certificate of the server is signed by nobody who is trusted here; .*NODE_EXTRA_CA_CERTS/,
  );
});

it('a server without TLS is told as such', async () => {
  expect(await failure(createServer())).toMatch(/^the server does not speak TLS on this port; /);
});

it('a handshake that the server breaks off is told without the text of OpenSSL', async () => {
  // A server without a certificate has no cipher to offer.
  expect(await failure(createTlsServer({}))).toMatch(/^the server broke off the TLS handshake: /);
});
