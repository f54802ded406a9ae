import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandIo } from '../../src/commands/command.ts';
import { flagsOfCommandLine, healthcheckCommand } from '../../src/commands/healthcheck.ts';

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

  it('says what is wrong with what it was told', async () => {
    await expect(check([`--config.file=${folder}`])).rejects.toThrow(
      `${folder}: the configuration file cannot be read: it is a folder`,
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
  ])('reads the command line %j of the first process', (words, flags) => {
    expect(flagsOfCommandLine(words)).toEqual(flags);
  });
});
