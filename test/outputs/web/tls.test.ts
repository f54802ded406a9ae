/** TLS of the web server, over real sockets: each kind of client authentication, and what clients may speak. */
import { connect as connectTcp } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../support/patience.ts';
import { CERTIFICATES, SecureWorld } from './secure-world.ts';

let world: SecureWorld;

beforeEach(() => {
  world = new SecureWorld();
});

afterEach(() => world.close());

const SERVER = 'cert_file: server.crt, key_file: server.key';

const tls = (rest = '') => `tls_server_config: {${SERVER}${rest === '' ? '' : `, ${rest}`}}\n`;

/** The status of a request over TLS, or `refused`. */
async function statusWith(certificate: keyof typeof CERTIFICATES | undefined, more: ConnectionOptions = {}) {
  const shown =
    certificate === undefined ? {} : { cert: CERTIFICATES[certificate].cert, key: CERTIFICATES[certificate].key };
  return world.ask('/metrics', { ...shown, ...more }).then(
    ({ status }) => status,
    () => 'refused',
  );
}

/** The connection once its handshake is over. */
function handshake(options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: world.port, rejectUnauthorized: false, ...options }, () =>
      resolve(socket),
    );
    socket.on('error', reject);
  });
}

describe('a client certificate', () => {
  it.each([
    // type, none, of the CA, of another CA: as exporter-toolkit answers
    ['NoClientCert', false, 200, 200, 200],
    ['RequestClientCert', true, 200, 200, 200],
    ['RequireAnyClientCert', true, 'refused', 200, 200],
    ['RequireClientCert', true, 'refused', 200, 200],
    ['VerifyClientCertIfGiven', true, 200, 200, 'refused'],
    ['RequireAndVerifyClientCert', true, 'refused', 200, 'refused'],
  ] as const)('with %s', async (type, hasCa, none, known, foreign) => {
    await world.start(tls(`client_auth_type: ${type}${hasCa ? ', client_ca_file: ca.crt' : ''}`));
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const only = { minVersion: version, maxVersion: version };
      expect([version, await statusWith(undefined, only)]).toEqual([version, none]);
      expect([version, await statusWith('client', only)]).toEqual([version, known]);
      expect([version, await statusWith('stranger', only)]).toEqual([version, foreign]);
    }
    const refused = [none, known, foreign].filter((answer) => answer === 'refused').length;
    expect(world.cuts).toEqual(Array(2 * refused).fill('client_certificate'));
  });

  it.each([
    ['[test3]', 200],
    ['[TEST3, test]', 'refused'],
    ['[noc@example.net]', 200],
    ["['spiffe://example.net/prom, one']", 200],
    ["['2001:db8::1']", 200],
    ["['2001:DB8:0:0:0:0:0:1']", 'refused'],
    ['[]', 'refused'],
  ])('needs one of the names %s', async (names, answer) => {
    await world.start(
      tls(`client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt, client_allowed_sans: ${names}`),
    );
    expect(await statusWith('client')).toBe(answer);
  });

  it('that is not sent has no names to look at', async () => {
    await world.start(
      tls('client_auth_type: VerifyClientCertIfGiven, client_ca_file: ca.crt, client_allowed_sans: [other]'),
    );
    expect(await statusWith(undefined)).toBe(200);
    expect(await statusWith('client')).toBe('refused');
  });

  it('does not outlive its CA in a session that is resumed', async () => {
    await world.start(tls('client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt'));
    const { cert, key } = CERTIFICATES.client;
    const first = await handshake({ cert, key, maxVersion: 'TLSv1.2' });
    const session = first.getSession();
    first.destroy();
    expect(session).toBeDefined();
    world.write('ca.crt', CERTIFICATES.stranger.cert);
    world.passTime();
    expect(await statusWith('client', { session, maxVersion: 'TLSv1.2' } as ConnectionOptions)).toBe('refused');
  });
});

describe('versions, suites and curves', () => {
  it.each([
    [
      'TLS 1.1 is too old by default',
      '',
      { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' },
      undefined,
    ],
    [
      'TLS 1.1 where it is allowed',
      'min_version: TLS11',
      { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' },
      'TLSv1.1',
    ],
    ['TLS 1.2 at most', 'max_version: TLS12', {}, 'TLSv1.2'],
    ['TLS 1.3 at least', 'min_version: TLS13', { maxVersion: 'TLSv1.2' }, undefined],
    [
      'suites of TLS 1.3 do not turn TLS 1.2 off',
      'cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]',
      { maxVersion: 'TLSv1.2' },
      'TLSv1.2',
    ],
  ] as const)('%s', async (_, settings, client, version) => {
    await world.start(tls(settings));
    const got = await handshake(client).then(
      (socket) => {
        const protocol = socket.getProtocol();
        socket.destroy();
        return protocol;
      },
      () => undefined,
    );
    expect(got).toBe(version);
  });

  const ONLY_GCM =
    'max_version: TLS12, cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]';

  it.each([
    ['a suite that is not allowed', ONLY_GCM, { ciphers: 'ECDHE-ECDSA-AES128-SHA' }, undefined],
    [
      'the suite that the server prefers',
      ONLY_GCM,
      { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256' },
      'ECDHE-ECDSA-AES128-GCM-SHA256',
    ],
    [
      'the suite that the client prefers',
      `${ONLY_GCM}, prefer_server_cipher_suites: false`,
      { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256' },
      'ECDHE-ECDSA-AES256-GCM-SHA384',
    ],
    [
      'a curve that is not allowed',
      'min_version: TLS13, curve_preferences: [CurveP521]',
      { ecdhCurve: 'P-384' },
      undefined,
    ],
    [
      'a curve that is',
      'min_version: TLS13, curve_preferences: [CurveP521, CurveP384, X25519, CurveP256]',
      { ecdhCurve: 'P-384' },
      'TLS_AES_256_GCM_SHA384',
    ],
  ])('%s', async (_, settings, client, suite) => {
    await world.start(tls(settings));
    const got = await handshake(client).then(
      (socket) => {
        const { name } = socket.getCipher();
        socket.destroy();
        return name;
      },
      () => undefined,
    );
    expect(got).toBe(suite);
  });
});

describe('HTTP/2', () => {
  it('is spoken where it is asked for, beside HTTP/1.1 on the same port', async () => {
    await world.start(tls());
    expect(await world.askHttp2(['/metrics', '/-/healthy', '/none'])).toEqual([200, 200, 404]);
    expect((await world.ask()).status).toBe(200);
  });

  it('is not with http2: false', async () => {
    await world.start(`${tls()}http_server_config: {http2: false}\n`);
    const socket = await handshake({ ALPNProtocols: ['h2', 'http/1.1'] });
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.destroy();
  });

  it('ends with the server, whatever sessions are open', async () => {
    const server = await world.start(tls());
    const socket = await handshake({ ALPNProtocols: ['h2'] });
    const closed = new Promise((resolve) => socket.on('close', resolve));
    await server.close();
    await closed;
  });
});

describe('what is no TLS', () => {
  it('is refused, counted, and told at debug', async () => {
    await world.start(tls());
    await expect(world.askPlain()).rejects.toThrow();
    await until(() => expect(world.cuts).toEqual(['tls_handshake']));
    expect(world.log.join('')).toContain('level=debug msg="a client could not connect by TLS" address=127.0.0.1');
    expect(world.log.join('')).toContain('error=ERR_SSL_HTTP_REQUEST');
    expect((await world.ask()).status).toBe(200);
  });

  it('is not counted when the client just goes away', async () => {
    await world.start(tls());
    await new Promise<void>((resolve) => {
      const socket = connectTcp(world.port, '127.0.0.1', () => socket.end());
      socket.on('close', () => resolve());
    });
    expect((await world.ask()).status).toBe(200);
    expect(world.cuts).toEqual([]);
  });

  it('makes room for others: a handshake that is never begun counts as a connection', async () => {
    // So long that no handshake is late, however slow the machine is.
    await world.start(tls(), { headersTimeoutMs: 600_000 });
    const silent = await Promise.all(
      Array.from(
        { length: 256 },
        () =>
          new Promise<ReturnType<typeof connectTcp>>((resolve) => {
            const socket = connectTcp(world.port, '127.0.0.1', () => resolve(socket));
            socket.on('error', () => {});
          }),
      ),
    );
    expect((await world.ask()).status).toBe(200);
    expect(world.cuts).toEqual(['address_limit']);
    for (const socket of silent) socket.destroy();
  });
});

describe('files that change', () => {
  const shownName = async () => {
    const socket = await handshake();
    const subject = socket.getPeerX509Certificate()?.subject;
    socket.destroy();
    return subject;
  };

  it('a renewed certificate is shown by the next handshake', async () => {
    await world.start(tls());
    expect(await shownName()).toBe('CN=server');
    world.write('server.crt', CERTIFICATES.renewed.cert);
    world.passTime();
    // Its key is not there yet: the last good pair is still shown.
    expect(await shownName()).toBe('CN=server');
    world.write('server.key', CERTIFICATES.renewed.key);
    world.passTime();
    expect(await shownName()).toBe('CN=server\\, renewed');
    expect(world.readings).toEqual([false, true]);
    expect(world.log.join('')).toContain('the web configuration is wrong, the last good one stays in force');
  });

  it('clients are asked for certificates from then on', async () => {
    await world.start(tls());
    expect(await statusWith(undefined)).toBe(200);
    world.write('web.yml', tls('client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt'));
    world.passTime();
    expect(await statusWith(undefined)).toBe('refused');
    expect(await statusWith('client')).toBe(200);
  });

  it('TLS cannot be turned off while it runs', async () => {
    await world.start(tls());
    world.write('web.yml', '');
    world.passTime();
    expect((await world.ask()).status).toBe(200);
    expect(world.readings).toEqual([false]);
    expect(world.log.join('')).toContain('a change from HTTPS to HTTP takes effect only at a restart');
  });
});
