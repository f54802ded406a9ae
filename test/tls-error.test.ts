import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { errorText, redactor } from '../src/redaction.ts';
import { makeCertificate } from './support/certificates.ts';

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))));
});

async function failure(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return fetch(`https://127.0.0.1:${port}/`).then(
    () => 'none',
    (error: unknown) => errorText(error, redactor([])),
  );
}

it('a certificate that nobody trusts is told in plain words, with what to do', async () => {
  const { cert, key } = makeCertificate('a CA of our own');
  expect(await failure(createTlsServer({ cert, key }))).toMatch(
    /: the certificate of the server is signed by nobody who is trusted here; .*NODE_EXTRA_CA_CERTS/,
  );
});

it('a server without TLS is told as such', async () => {
  expect(await failure(createServer())).toMatch(/: the server does not speak TLS on this port: /);
});
