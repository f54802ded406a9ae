import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ListenError } from '../../src/errors.ts';
import { createLogger } from '../../src/logger.ts';
import type { ListenTarget } from '../../src/outputs/listen.ts';
import { startWebServer, type WebServer } from '../../src/outputs/web-server.ts';
import { buildProgram, startProgram } from '../support/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'bgproutes-exporter-'));
const path = join(folder, 'bgp.sock');
const running: WebServer[] = [];
const log: string[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
  log.length = 0;
});
afterAll(() => rmSync(folder, { recursive: true }));

async function start(...listenAt: ListenTarget[]): Promise<WebServer> {
  const server = await startWebServer({
    listenAt,
    telemetryPath: '/metrics',
    render: async () => Buffer.from('up 1\n'),
    ready: () => ({ ok: true }),
    enableLifecycle: false,
    logger: createLogger({ level: 'info', format: 'logfmt', destination: { write: (line) => log.push(line) } }),
  });
  running.push(server);
  return server;
}

function statusAt(place: { socketPath: string } | { port: number }): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ ...place, host: '127.0.0.1', path: '/-/healthy', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
}

describe('a Unix socket', () => {
  it('is one of several addresses, for its owner and the group, and goes with the server', async () => {
    const server = await start({ host: '127.0.0.1', port: 0 }, { path });
    expect(await statusAt({ port: server.port })).toBe(200);
    expect(await statusAt({ socketPath: path })).toBe(200);
    expect((statSync(path).mode & 0o777).toString(8)).toBe('660');
    expect(log.join('')).toContain(`msg="web server listens" address=unix:${path}\n`);
    await server.close();
    expect(() => statSync(path)).toThrow('ENOENT');
    await expect(statusAt({ port: server.port })).rejects.toThrow('ECONNREFUSED');
  });

  it('may stand first: there is no port then', async () => {
    const server = await start({ path }, { host: '127.0.0.1', port: 0 });
    expect([server.address, server.port, server.url]).toEqual([`unix:${path}`, 0, undefined]);
  });

  it('that a killed process left behind is replaced', async () => {
    const code = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    expect(() => execFileSync(process.execPath, ['-e', code])).toThrow();
    expect(statSync(path).isSocket()).toBe(true);
    await start({ path });
    expect(await statusAt({ socketPath: path })).toBe(200);
  });

  it('of a program that runs stays its own, and so does a file', async () => {
    const other = createServer().listen(path);
    await new Promise((resolve) => other.once('listening', resolve));
    const refused = start({ path });
    await expect(refused).rejects.toThrow(ListenError);
    await expect(refused).rejects.toThrow(`cannot listen on unix:${path}: another program listens there`);
    expect(other.listening).toBe(true);
    await new Promise((resolve) => other.close(resolve));
    writeFileSync(path, 'precious');
    await expect(start({ path })).rejects.toThrow('or it is a file and no socket');
    expect(statSync(path).size).toBe(8);
    rmSync(path);
  });

  it('in a folder that is not there is refused with a reason', async () => {
    await expect(start({ path: join(folder, 'no', 'bgp.sock') })).rejects.toThrow(
      'the folder is not there, or cannot be written to',
    );
  });
});

it('one address that cannot be bound leaves none of them open', async () => {
  const first = await start({ host: '127.0.0.1', port: 0 });
  await expect(start({ path }, { host: '127.0.0.1', port: first.port })).rejects.toThrow('the port is in use');
  expect(() => statSync(path)).toThrow('ENOENT');
});

describe('--web.systemd-socket', () => {
  const nowhere = 'http://127.0.0.1:1';
  const flags = [
    '--prefix=192.0.2.0/24',
    '--web.systemd-socket',
    '--bgproutes.websocket-url=ws://127.0.0.1:1',
    `--bgproutes.live-manager-url=${nowhere}`,
    `--bgproutes.data-api-url=${nowhere}`,
  ];
  const env = { BGP_API_KEY: 'key-of-nobody' };

  it('serves at the socket that is handed over', async () => {
    const handed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => handed.once('listening', resolve));
    const { port } = handed.address() as AddressInfo;
    const { fd } = (handed as unknown as { _handle: { fd: number } })._handle;
    // The pid of the shell becomes that of the program. The socket is its descriptor 3.
    const child = spawn(
      '/bin/sh',
      ['-c', 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@"', process.execPath, buildProgram(), ...flags],
      { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'ignore', 'pipe', fd] },
    );
    const exit = new Promise((resolve) => child.once('exit', resolve));
    try {
      await new Promise((resolve) => handed.close(resolve)); // the descriptor of the child stays open
      let text = '';
      for await (const chunk of child.stderr as Readable) {
        text += String(chunk);
        if (text.includes(`msg="web server listens" address=127.0.0.1:${port} `)) break;
      }
      expect(text).toContain('web server listens');
      expect(await statusAt({ port })).toBe(200);
      child.kill('SIGTERM');
      expect(await exit).toBe(0);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('says what is missing where nothing is handed over, or to another process', async () => {
    const program = startProgram(flags, { ...env, LISTEN_FDS: '1', LISTEN_PID: '1' });
    expect(await program.exit).toBe(2);
    expect(program.stderr()).toContain('--web.systemd-socket: systemd has handed over no socket to this process');
  });
});
