/** Users, headers and rate limit of the web configuration, over real sockets. */
import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { basic, CERTIFICATES, HASH, SecureWorld } from './secure-world.ts';

let world: SecureWorld;

beforeEach(() => {
  world = new SecureWorld();
});

afterEach(() => world.close());

const USERS = `basic_auth_users: {noc: ${HASH}, x: ${HASH.replace('$2b$', '$2x$')}}\n`;

describe('users', () => {
  it.each([
    ['none', {}, 401],
    ['the right password', basic('noc', 'right-password'), 200],
    ['the right password of a hash that Go reads as any other', basic('x', 'right-password'), 200],
    ['a wrong password', basic('noc', 'wrong-password'), 401],
    ['an empty password', basic('noc', ''), 401],
    ['an unknown user', basic('nobody', 'right-password'), 401],
    ['a user by another case', basic('NOC', 'right-password'), 401],
    [
      'a scheme in small letters',
      { authorization: basic('noc', 'right-password').authorization.replace('Basic', 'basic') },
      200,
    ],
    ['another scheme', { authorization: 'Bearer right-password' }, 401],
    ['no base64', { authorization: 'Basic !!!' }, 401],
    ['no colon', { authorization: `Basic ${Buffer.from('noc').toString('base64')}` }, 401],
  ])('%s', async (_, headers, status) => {
    await world.start(USERS);
    for (const path of ['/metrics', '/-/healthy', '/-/ready']) {
      const answer = await world.askPlain(path, headers);
      expect([path, answer.status]).toEqual([path, status]);
      expect(answer.headers['www-authenticate']).toBe(status === 401 ? 'Basic' : undefined);
      if (status === 401) expect(answer.body).toBe('Unauthorized\n');
    }
    expect((await world.askPlain('/none', headers)).status).toBe(status === 401 ? 401 : 404);
    expect(world.log.join('')).not.toContain('right-password');
  });

  it('are asked over HTTP/2 too', async () => {
    await world.start(`tls_server_config: {cert_file: server.crt, key_file: server.key}\n${USERS}`);
    expect(await world.askHttp2(['/metrics'])).toEqual([401]);
    expect(await world.askHttp2(['/metrics'], basic('noc', 'right-password'))).toEqual([200]);
  });

  it('who were taken out have no way in, although their password was right before', async () => {
    await world.start(USERS);
    const headers = basic('noc', 'right-password');
    expect((await world.askPlain('/metrics', headers)).status).toBe(200);
    world.write('web.yml', `basic_auth_users: {other: ${HASH}}\n`);
    world.passTime();
    expect((await world.askPlain('/metrics', headers)).status).toBe(401);
    expect((await world.askPlain('/metrics', basic('other', 'right-password'))).status).toBe(200);
  });

  it('stay as they were while the file is wrong or gone', async () => {
    await world.start(USERS);
    for (const text of ['basic_auth_users: {noc: doe}', 'junk', 'basic_auth_users: [noc]']) {
      world.write('web.yml', text);
      world.passTime();
      expect((await world.askPlain()).status).toBe(401);
      expect((await world.askPlain('/metrics', basic('noc', 'right-password'))).status).toBe(200);
    }
    renameSync(world.file, `${world.file}.away`);
    world.passTime();
    expect((await world.askPlain()).status).toBe(401);
    expect(world.readings).toEqual([false, false, false, false]);
    renameSync(`${world.file}.away`, world.file);
    world.write('web.yml', '');
    world.passTime();
    expect((await world.askPlain()).status).toBe(200);
    expect(world.readings.at(-1)).toBe(true);
  });

  it('are read again behind a symbolic link that was swapped, as a mounted Secret does', async () => {
    for (const [version, yaml] of [
      ['v1', USERS],
      ['v2', `basic_auth_users: {later: ${HASH}}\n`],
    ] as const) {
      mkdirSync(join(world.folder, version));
      world.write(`${version}/web.yml`, yaml);
    }
    symlinkSync('v1', join(world.folder, '..data'));
    symlinkSync(join('..data', 'web.yml'), world.file);
    await world.start(undefined);
    expect((await world.askPlain('/metrics', basic('noc', 'right-password'))).status).toBe(200);
    symlinkSync('v2', join(world.folder, '..new'));
    renameSync(join(world.folder, '..new'), join(world.folder, '..data'));
    world.passTime();
    expect((await world.askPlain('/metrics', basic('later', 'right-password'))).status).toBe(200);
    expect((await world.askPlain('/metrics', basic('noc', 'right-password'))).status).toBe(401);
  });
});

describe('headers', () => {
  const HEADERS = `http_server_config:
  headers:
    Content-Security-Policy: "default-src 'self'"
    Strict-Transport-Security: max-age=31536000
    X-Content-Type-Options: nosniff
    X-Frame-Options: deny
    X-XSS-Protection: 1
`;

  it('are on every answer, a refused and an unknown one too', async () => {
    await world.start(`${HEADERS}${USERS}`);
    for (const [path, headers] of [
      ['/metrics', {}],
      ['/none', basic('noc', 'right-password')],
    ] as const) {
      expect((await world.askPlain(path, headers)).headers).toMatchObject({
        'content-security-policy': "default-src 'self'",
        'strict-transport-security': 'max-age=31536000',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'deny',
        'x-xss-protection': '1',
      });
    }
  });
});

describe('the rate limit', () => {
  it('comes before everything else, and is one for all', async () => {
    await world.start(`${USERS}rate_limit: {interval: 1h, burst: 2}\n`);
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await world.askPlain()).status);
    expect(statuses).toEqual([401, 401, 429]);
    expect((await world.askPlain('/metrics', basic('noc', 'right-password'))).headers['retry-after']).toBe('1');
  });

  it('with a burst of 0 refuses everything, with an interval of 0 nothing', async () => {
    await world.start('rate_limit: {interval: 1s}\n');
    expect((await world.askPlain()).status).toBe(429);
    world.write('web.yml', 'rate_limit: {interval: 0, burst: 0}\n');
    world.passTime();
    for (let i = 0; i < 10; i++) expect((await world.askPlain()).status).toBe(200);
  });
});

it('a certificate and its key can stand in the file itself', async () => {
  const { cert, key } = CERTIFICATES.server;
  const indented = (pem: string) => pem.replace(/^/gm, '    ');
  await world.start(`tls_server_config:\n  cert: |\n${indented(cert)}\n  key: |\n${indented(key)}\n`);
  expect((await world.ask()).status).toBe(200);
});
