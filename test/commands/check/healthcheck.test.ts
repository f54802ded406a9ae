import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flagsOfCommandLine, healthcheckCommand } from '../../../src/commands/check/healthcheck.ts';
import type { CommandIo } from '../../../src/commands/command.ts';
import { HASH, SecureWorld } from '../../outputs/web/secure-world.ts';

const TLS = 'tls_server_config: {cert_file: server.crt, key_file: server.key}\n';

let server: Server;
let port: number;
let status = 200;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bgproutes-exporter-'));
  server = createServer((request, response) => {
    response.statusCode = request.url === '/-/healthy' ? status : 404;
    response.end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  ({ port } = server.address() as AddressInfo);
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

async function check(args: readonly string[], env: CommandIo['env'] = {}) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const { signal } = new AbortController();
  const code = await healthcheckCommand.run(args, {
    env,
    stdout,
    stderr,
    signal,
    onHangup: () => () => {},
    onFatal: () => {},
  });
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

describe('healthcheck', () => {
  it('is content with an exporter that is healthy', async () => {
    status = 200;
    expect(await check([`--web.listen-address=127.0.0.1:${port}`])).toEqual({
      code: 0,
      out: `http://127.0.0.1:${port}/-/healthy: 200\n`,
      err: '',
    });
    expect((await check([`--web.listen-address=:${port}`])).code).toBe(0);
  });

  it('is not with one that is ill, nor with none', async () => {
    status = 500;
    expect((await check([`--web.listen-address=127.0.0.1:${port}`])).code).toBe(1);
    const gone = await check(['--web.listen-address=127.0.0.1:1']);
    expect(gone.code).toBe(1);
    expect(gone.err).toBe(
      'http://127.0.0.1:1/-/healthy: nobody listens there: the exporter does not run, or listens elsewhere (see --web.listen-address and --config.file)\n',
    );
  });

  it('finds the address in the configuration file, whatever else is in it', async () => {
    status = 200;
    const file = join(folder, 'c.yml');
    writeFileSync(file, `web: {listen_address: "\${ADDRESS}"}\nunknown: [1]\n`);
    expect((await check([`--config.file=${file}`], { ADDRESS: `127.0.0.1:${port}` })).code).toBe(0);
    writeFileSync(file, 'web: {listen_address: ""}\n');
    expect(await check([`--config.file=${file}`])).toEqual({ code: 0, out: 'no web server\n', err: '' });
  });

  it.each(['', TLS])('asks a Unix socket, with the web configuration "%s"', async (yaml) => {
    const own = new SecureWorld();
    const path = join(own.folder, 'bgp.sock');
    await own.start(yaml, { listenAt: [{ path }] });
    const file = `--web.config.file=${own.file}`;
    const url = `unix:${path} ${yaml === '' ? 'http' : 'https'}://localhost/-/healthy`;
    expect(await check([`--web.listen-address=unix:${path}`, file])).toEqual({
      code: 0,
      out: `${url}: 200\n`,
      err: '',
    });
    own.write('c.yml', `web: {listen_address: ["unix:${path}", ":1"], config_file: web.yml}\n`);
    expect((await check([`--config.file=${join(own.folder, 'c.yml')}`])).code).toBe(0);
    await own.close();
    expect((await check([`--web.listen-address=unix:${path}`])).err).toContain('nobody listens there');
  });

  describe('of a server with TLS and users', () => {
    const world = new SecureWorld();
    afterAll(() => world.close());

    it('knows the scheme, and trusts the certificate of the file only', async () => {
      await world.start(`${TLS}basic_auth_users: {probe: ${HASH}}\n`);
      const at = `--web.listen-address=127.0.0.1:${world.port}`;
      const url = `https://127.0.0.1:${world.port}/-/healthy`;
      const flags = [at, `--web.config.file=${world.file}`];
      // Whoever asks for a password runs.
      expect(await check(flags)).toEqual({ code: 0, out: `${url}: 401, it runs, and asks for a password\n`, err: '' });
      world.write('right', 'right-password\n');
      world.write('wrong', 'wrong-password\n');
      const as = (file: string) => [...flags, '--http.user=probe', `--http.password-file=${join(world.folder, file)}`];
      expect(await check(as('right'))).toEqual({ code: 0, out: `${url}: 200\n`, err: '' });
      expect(await check(as('wrong'))).toEqual({ code: 1, out: `${url}: 401\n`, err: '' });
      // By the configuration file, with a path that starts at its folder.
      world.write('c.yml', `web: {listen_address: "127.0.0.1:${world.port}", config_file: web.yml}\n`);
      expect((await check([`--config.file=${join(world.folder, 'c.yml')}`])).code).toBe(0);
      // Another program on the port gets no password.
      world.write('other.yml', 'tls_server_config: {cert_file: renewed.crt, key_file: renewed.key}\n');
      const other = await check([at, `--web.config.file=${join(world.folder, 'other.yml')}`, ...as('right').slice(2)]);
      expect(other).toEqual({
        code: 1,
        out: '',
        err: `${url}: it shows another certificate than that of the web configuration: another program may have the port\n`,
      });
    });

    it('shows a certificate where clients need one', async () => {
      const own = new SecureWorld();
      await own.start(`${TLS.replace('}', ', client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt}')}`);
      const flags = [`--web.listen-address=127.0.0.1:${own.port}`, `--web.config.file=${own.file}`];
      const without = await check(flags);
      expect(without.code).toBe(1);
      expect(without.err).toContain('where clients need a certificate, give --http.cert-file and --http.key-file');
      const cert = (name: string) =>
        `--http.${name === 'crt' ? 'cert' : 'key'}-file=${join(own.folder, `client.${name}`)}`;
      expect((await check([...flags, cert('crt'), cert('key')])).code).toBe(0);
      await own.close();
    });

    it('is content with an exporter that runs while its web configuration is wrong now', async () => {
      const own = new SecureWorld();
      await own.start(TLS);
      own.write('web.yml', 'junk\n');
      const flags = [`--web.listen-address=127.0.0.1:${own.port}`, `--web.config.file=${own.file}`];
      expect(await check(flags)).toMatchObject({ code: 0, out: `https://127.0.0.1:${own.port}/-/healthy: 200\n` });
      await own.close();
    });
  });

  it('says what is wrong with what it was told', async () => {
    await expect(check([`--config.file=${folder}`])).rejects.toThrow(
      `--config.file: ${folder} cannot be read: it is a folder`,
    );
    await expect(check(['--web.listen-address=10479'])).rejects.toThrow(
      '--web.listen-address: expected HOST:PORT such as :10479',
    );
  });

  it.each([
    [['node', 'dist/main.js'], {}],
    [['node', 'main.js', '--web.listen-address=:1', '--prefix=x'], { 'web.listen-address': ':1' }],
    [
      ['tini', '--', 'node', 'main.js', 'serve', '--config.file', '/c.yml', '--web.listen-address', '[::1]:2', ''],
      { 'config.file': '/c.yml', 'web.listen-address': '[::1]:2' },
    ],
    [['node', 'main.js', '--web.listen-address='], { 'web.listen-address': '' }],
    [['node', 'main.js', '--web.config.file=/w.yml'], { 'web.config.file': '/w.yml' }],
  ])('reads the command line %j of the first process', (words, flags) => {
    expect(flagsOfCommandLine(words)).toEqual(flags);
  });
});
