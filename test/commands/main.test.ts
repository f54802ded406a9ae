import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Simulator } from '../../src/simulator/contract.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { until } from '../support/patience.ts';
import { type Program, startProgram } from '../support/program.ts';

const KEY = 'secret-key-of-the-test';
const PREFIX = '192.23.62.0/24';

const programs: Program[] = [];
let folder: string;
let simulator: Simulator;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bgproutes-exporter-'));
  simulator = await startSimulator({ apiKeys: [KEY], vps: 20 });
});

afterEach(async () => {
  for (const { child } of programs) child.kill('SIGKILL');
  await Promise.all(programs.splice(0).map(({ exit }) => exit));
});

afterAll(async () => {
  await simulator.stop();
  rmSync(folder, { recursive: true });
});

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const program = startProgram(args, env);
  programs.push(program);
  return program;
}

/** An exporter against the simulator, once it is ready. */
async function serve(args: readonly string[] = [], env: Readonly<Record<string, string>> = { BGP_API_KEY: KEY }) {
  const program = run(
    [
      ...args,
      '--web.listen-address=127.0.0.1:0',
      `--bgproutes.websocket-url=${simulator.websocketUrl}`,
      `--bgproutes.live-manager-url=${simulator.url}`,
      `--bgproutes.data-api-url=${simulator.url}`,
    ],
    env,
  );
  const [, url] = await program.seen(/web server listens.*?(http:\/\/[^/\s"]+)/);
  await program.seen(/stream connected/);
  return { program, url };
}

describe('the command line', () => {
  it('tells its version', async () => {
    const program = run(['--version']);
    expect(await program.exit).toBe(0);
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(program.stdout()).toBe(
      `bgproutes-exporter, version ${version} (revision: unknown)\n  node version:     ${process.version}\n  platform:         ${process.platform}/${process.arch}\n`,
    );
    for (const short of ['-v', '-V']) {
      const again = run([short]);
      expect([await again.exit, again.stdout()]).toEqual([0, program.stdout()]);
    }
    expect(program.stderr()).toBe('');
  });

  it('has a help with every command and flag', async () => {
    const program = run(['--help']);
    expect(await program.exit).toBe(0);
    for (const word of ['serve', 'simulate', 'demo', 'check-config', 'help', '--config.file=FILE', '--prefix=PREFIX']) {
      expect(program.stdout()).toContain(`  ${word}`);
    }
  });

  it.each([
    [['srve'], 'unknown command "srve", did you mean serve?', 'bgproutes-exporter --help'],
    [['tale'], 'unknown command "tale", did you mean tail?', 'bgproutes-exporter --help'],
    [['help', 'tale'], 'unknown command "tale", did you mean tail?', 'bgproutes-exporter help --help'],
    [
      ['192.0.2.0/24'],
      'unknown command "192.0.2.0/24", did you mean --prefix=192.0.2.0/24?',
      'bgproutes-exporter --help',
    ],
    [
      ['completion', 'bas'],
      'expected bash, zsh or fish, got "bas", did you mean bash?',
      'bgproutes-exporter completion --help',
    ],
    [['demo', '--speed=99'], '--speed: expected a number from 0.1 to 20, got "99"', 'bgproutes-exporter demo --help'],
    [
      ['demo', '--pace=longer'],
      '--pace: expected quick or long, got "longer", did you mean long?',
      'bgproutes-exporter demo --help',
    ],
    [['--prefx=x'], 'unknown flag --prefx, did you mean --prefix?', 'bgproutes-exporter --help'],
    [['check-config'], 'FILE is missing', 'bgproutes-exporter check-config --help'],
    [[`--bgproutes.api-key=${KEY}`], 'unknown flag --bgproutes.api-key', 'bgproutes-exporter --help'],
    [[KEY], 'unknown command "[redacted]"', 'bgproutes-exporter --help'],
    [['serve', KEY], 'unexpected argument "[redacted]"', 'bgproutes-exporter serve --help'],
  ])('%j is wrong usage: exit code 2', async (args, message, hint) => {
    const program = run(args, { BGP_API_KEY: KEY });
    expect(await program.exit).toBe(2);
    expect(program.stdout()).toBe('');
    expect(program.stderr()).toContain(`bgproutes-exporter: ${message}`);
    expect(program.stderr()).toContain(`See ${hint}.\n`);
    expect(program.stderr()).not.toContain(KEY);
  });

  it('says why when its output cannot be written, without a place in its code', async () => {
    const full = openSync('/dev/full', 'w');
    try {
      const program = startProgram(['--help'], {}, 'pipe', full);
      expect(await program.exit).toBe(1);
      expect(program.stderr()).toBe(
        'bgproutes-exporter: standard output cannot be written: ENOSPC: no space left on device, write\n',
      );
    } finally {
      closeSync(full);
    }
  });

  it('names everything that is wrong with a configuration: exit code 2', async () => {
    const program = run(['--prefix=192.23.62.1/24', '--log.level=loud']);
    expect(await program.exit).toBe(2);
    expect(program.stderr()).toBe(
      `bgproutes-exporter: the configuration has 3 problems:
  --prefix: 192.23.62.1/24: host bits are set, did you mean 192.23.62.0/24?
  --log.level: expected one of debug, info, warn, error, got "loud"
  no API key: set BGP_API_KEY or BGP_API_KEY_FILE, or give --bgproutes.api-key-file, or bgproutes.api_keys or bgproutes.api_key_files in a configuration file; --source=ris-live needs no key
`,
    );
  });
});

describe('a folder that only a start finds wrong', () => {
  const place = '/proc/no-such-folder';
  const told = `storage.path: ${place} cannot be written to: no such file\n`;

  it('is told under the flag that named it', async () => {
    const program = run([`--prefix=${PREFIX}`, `--storage.path=${place}`], { BGP_API_KEY: KEY });
    expect(await program.exit).toBe(2);
    expect(program.stderr()).toContain(`  --${told}`);
  });

  it('is told under the file that named it', async () => {
    const file = join(folder, 'storage.yml');
    writeFileSync(file, `prefixes: [{prefix: ${PREFIX}}]\nstorage: {path: ${place}}\n`);
    const program = run([`--config.file=${file}`], { BGP_API_KEY: KEY });
    expect(await program.exit).toBe(2);
    expect(program.stderr()).toContain(`  ${file}: ${told}`);
  });
});

describe('check-config', () => {
  it('checks the web configuration, alone or as the file names it', async () => {
    const web = join(folder, 'web.yml');
    writeFileSync(web, 'rate_limit: {interval: 1s, burst: 5}\n');
    const alone = run(['check-config', `--web.config.file=${web}`]);
    expect([await alone.exit, alone.stdout()]).toEqual([0, `${web}: the web configuration is right: HTTP, 0 users\n`]);
    writeFileSync(web, 'tls_server_config: {min_version: TLS13}\n');
    const file = join(folder, 'with-web.yml');
    writeFileSync(file, `prefixes: [{prefix: ${PREFIX}}]\nweb: {config_file: web.yml}\n`);
    const both = run(['check-config', file], { BGP_API_KEY: KEY });
    expect(await both.exit).toBe(2);
    expect(both.stderr()).toContain('the web configuration is wrong:');
    expect(both.stderr()).toContain(
      `${web}:1:20: tls_server_config: min_version without a certificate would be served`,
    );
  });

  it('is content with a right file', async () => {
    const file = join(folder, 'right.yml');
    writeFileSync(file, `prefixes: [{prefix: ${PREFIX}}, {prefix: 2001:db8::/32}]\nbgproutes: {api_keys: ["\${K}"]}\n`);
    const program = run(['check-config', file], { K: KEY });
    expect(await program.exit).toBe(0);
    expect(program.stdout()).toBe(`${file}: the configuration is right: 2 prefixes (IPv4 1, IPv6 1), 1 API key\n`);
  });

  it('names the places of a wrong one', async () => {
    const file = join(folder, 'wrong.yml');
    writeFileSync(
      file,
      `prefixes:\n  - prefix: 192.0.2.0/24\n    origns: [1]\nbgproutes: {api_keys: ["${KEY}", "${KEY}"]}\n`,
    );
    const program = run(['check-config', file]);
    expect(await program.exit).toBe(2);
    expect(program.stderr()).toContain(`${file}:3:5: prefixes[0].origns: unknown key, did you mean origins?`);
    expect(program.stderr()).toContain(`${file}:4:50: bgproutes.api_keys[1]: the same key as`);
    expect(program.stderr()).not.toContain(KEY);
  });

  it('reads the files of certificates of OTLP, as a start does', async () => {
    const file = join(folder, 'otlp.yml');
    const otlp = 'otlp: {endpoint: "https://collector.example.net", tls: {ca_file: absent.pem}}';
    writeFileSync(file, `prefixes: [{prefix: ${PREFIX}}]\n${otlp}\n`);
    const program = run(['check-config', file], { BGP_API_KEY: KEY });
    expect(await program.exit).toBe(2);
    expect(program.stderr()).toContain(`${join(folder, 'absent.pem')} cannot be read: no such file`);
  });
});

describe('serve', () => {
  it('ends with 2 and the reason of the system when storage.path cannot be written to', async () => {
    const file = join(folder, 'no-folder');
    writeFileSync(file, '');
    const program = run([`--prefix=${PREFIX}`, '--web.listen-address=127.0.0.1:0', `--storage.path=${file}/data`], {
      BGP_API_KEY: KEY,
    });
    expect(await program.exit).toBe(2);
    expect(program.stderr()).toContain(
      `the configuration is wrong:\n  --storage.path: ${file}/data cannot be written to: a part of its path is no folder\n`,
    );
  });

  it('serves until SIGTERM, and then ends with 0; the key is nowhere', async () => {
    const { program, url } = await serve([`--prefix=${PREFIX}`, '--log.level=debug']);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain(`bgp_prefix_visible_vps{prefix="${PREFIX}"} `);
    const ready = await fetch(`${url}/-/ready`);
    expect(ready.status).toBe(200);
    const page = await (await fetch(`${url}/`)).text();
    expect(page).toContain(PREFIX);
    program.child.kill('SIGTERM');
    expect(await program.exit).toBe(0);
    expect(program.stderr()).toContain('msg="bgproutes-exporter has stopped"');
    expect(metrics + page + program.stdout() + program.stderr()).not.toContain(KEY);
  });

  it('reads its file again on SIGHUP, and keeps the current configuration when the new one is wrong', async () => {
    const file = join(folder, 'reload.yml');
    writeFileSync(file, `prefixes: [{prefix: ${PREFIX}}]\n`);
    const { program, url } = await serve([`--config.file=${file}`]);
    writeFileSync(file, `prefixes: [{prefix: ${PREFIX}}, {prefix: 198.51.100.0/24}]\n`);
    program.child.kill('SIGHUP');
    await program.seen(/configuration reloaded/);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('bgp_prefix_visible_vps{prefix="198.51.100.0/24"} ');
    writeFileSync(file, 'prefixes: [{prefix: 192.0.2.1/24}]\n');
    program.child.kill('SIGHUP');
    await program.seen(/reload\.yml:1:21: prefixes\[0\]\.prefix: 192\.0\.2\.1\/24: host bits are set/);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('bgp_prefix_visible_vps{prefix="198.51.100.0/24"} ');
    expect(metrics).toContain('bgp_exporter_config_last_reload_successful 0');
  });

  it('ends with 1 and says what to do when its port is taken', async () => {
    const server: Server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const program = run([`--prefix=${PREFIX}`, `--web.listen-address=127.0.0.1:${port}`, '--log.format=json'], {
      BGP_API_KEY: KEY,
    });
    expect(await program.exit).toBe(1);
    const last = JSON.parse(program.stderr().trimEnd().split('\n').at(-1) ?? '') as Record<string, string>;
    expect(last).toMatchObject({
      level: 'error',
      error: `cannot listen on 127.0.0.1:${port}: the port is in use: stop the program that has it, or choose another one with --web.listen-address`,
    });
    server.close();
  });

  it('stops when SIGTERM comes as early as it can be heard, and begins nothing', async () => {
    // Loaded before the program: sends the signal in the moment in which the program begins to listen for it.
    const early = `const on = process.on; process.on = function (name, listener) {
      on.call(this, name, listener);
      if (name === 'SIGTERM') process.kill(process.pid, name);
      return this;
    };`;
    const program = run([`--prefix=${PREFIX}`, '--web.listen-address=127.0.0.1:0'], {
      BGP_API_KEY: KEY,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(early)}`,
    });
    expect(await program.exit).toBe(0);
    expect(program.stderr()).toBe('');
  });

  it('ends at once with 1 at a second signal', async () => {
    const { program } = await serve([`--prefix=${PREFIX}`]);
    simulator.faults.stall(); // the goodbye stays without an answer, which holds the stop up for two seconds
    // Signals that are close together count as one: they go on until one is late enough.
    const signals = setInterval(() => program.child.kill('SIGINT'), 50);
    expect(await program.exit).toBe(1);
    clearInterval(signals);
    expect(program.stderr()).toContain('bgproutes-exporter stops');
    expect(program.stderr()).not.toContain('has stopped');
  });

  it('takes two signals that come together for one, as of Ctrl-C under npm', async () => {
    // The program sends both to itself: two that a busy machine sends from elsewhere may be far apart.
    const twice = `process.on('SIGUSR2', () => {
      for (let i = 0; i < 2; i++) process.kill(process.pid, 'SIGINT');
    });`;
    const { program } = await serve([`--prefix=${PREFIX}`], {
      BGP_API_KEY: KEY,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(twice)}`,
    });
    program.child.kill('SIGUSR2');
    expect(await program.exit).toBe(0);
    expect(program.stderr()).toContain('has stopped');
  });

  it('goes on when nobody reads its output any more', async () => {
    const { program, url } = await serve([`--prefix=${PREFIX}`, '--log.level=debug']);
    program.child.stderr?.destroy();
    program.child.stdout?.destroy();
    for (let i = 0; i < 3; i++) {
      program.child.kill('SIGHUP'); // is logged
      expect((await fetch(`${url}/-/healthy`)).status).toBe(200);
    }
    program.child.kill('SIGTERM');
    expect(await program.exit).toBe(0);
  });
});

describe('a log on a full disk', () => {
  it('does not end the exporter', async () => {
    const socketPath = join(folder, 'full-disk.sock'); // the log, which would tell a port, is lost
    const full = openSync('/dev/full', 'w');
    const program = startProgram(
      [
        `--prefix=${PREFIX}`,
        `--web.listen-address=unix:${socketPath}`,
        `--bgproutes.live-manager-url=${simulator.url}`,
      ],
      { BGP_API_KEY: KEY },
      full,
    );
    closeSync(full);
    programs.push(program);
    const statusOfHealth = () =>
      new Promise((resolve, reject) => {
        get({ socketPath, path: '/-/healthy', agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).on('error', reject);
      });
    await until(async () => expect(await statusOfHealth()).toBe(200), 50);
    program.child.kill('SIGTERM');
    expect(await program.exit).toBe(0);
  });
});

describe('demo', () => {
  it('says what to open, and tells what happens with the numbers of both sides', async () => {
    const program = run(['demo', '--web.listen-address=127.0.0.1:0', '--speed=20']);
    const [, url] = await program.seen(/(http:\/\/localhost:\d+)\/metrics/);
    await until(async () => expect((await fetch(`${url}/-/ready`)).status).toBe(200), 50);
    await program.seen(
      /outage of 192\.23\.62\.0\/24: [1-9]\d* -> 0 VPs see .*\n +metrics: visible at 0 of [1-9]\d* VPs; origin none/,
    );
    await program.seen(
      /recovery of 192\.23\.62\.0\/24: .*\n +metrics: visible at ([1-9]\d*) of \1 VPs; origin AS64500 at \1/,
    );
    await program.seen(
      /hijack of 198\.51\.100\.0\/24 by AS64666: 0 -> .*\n +metrics: .*AS64666 at [1-9]\d* \(unexpected, RPKI invalid_as\)/,
    );
    const page = await (await fetch(`${url}/`)).text();
    expect(page).toContain('hijack of 198.51.100.0/24 by AS64666');
    // What the line above told is in the line of the metrics.
    await program.seen(/now over AS6939: 0 -> .*\n +metrics: .*; upstream AS6939 at [1-9]\d* \(unexpected\)/);
    await program.seen(/prepended 3 times: 0 -> .*\n +metrics: .*; prepended at [1-9]/);
    await program.seen(/flaps 3 times: .*\n +metrics: .*; [1-9]\d* withdrawals and [1-9]\d* gains since the last line/);
    await program.seen(/VPs lost: 300 -> 270 VPs are up\n +metrics: [1-9]\d* of the VPs that are up hold a route/);
    expect(program.stdout()).not.toContain('\u001b');
    program.child.kill('SIGINT');
    expect(await program.exit).toBe(0);
    expect(program.stderr()).toBe('');
  });

  it('ends with its reader, as with head', async () => {
    const program = run(['demo', '--web.listen-address=127.0.0.1:0', '--speed=20', '--pace=long']);
    await program.seen(/In rounds of 3m, long enough for the alerts/);
    program.child.stdout?.destroy();
    expect(await program.exit).toBe(0);
    expect(program.stderr()).toBe('');
  });
});
