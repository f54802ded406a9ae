/** The unit as systemd itself judges it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/patience.ts';
import { buildProgram } from '../support/program.ts';

const UNIT = fileURLToPath(new URL('../../deploy/systemd/bgproutes-exporter.service', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'systemd-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'bgproutes-exporter.service');
// The program is not installed here, and verify asks whether it is there.
writeFileSync(
  file,
  readFileSync(UNIT, 'utf8').replace('ExecStart=/usr/local/bin/bgproutes-exporter', 'ExecStart=/bin/true'),
);

const socket = join(folder, 'bgproutes-exporter.socket');
writeFileSync(socket, readFileSync(UNIT.replace(/service$/, 'socket'), 'utf8'));

function analyze(...args: readonly string[]) {
  const { status, stdout, stderr, error } = spawnSync('systemd-analyze', [...args, file], { encoding: 'utf8' });
  return { missing: error !== undefined, status, output: stdout + stderr };
}

describe.skipIf(analyze('--version').missing)('the unit of systemd', () => {
  it('has no mistake', () => {
    expect(analyze('verify')).toEqual({ missing: false, status: 0, output: '' });
  });

  it('has a socket unit without a mistake', () => {
    expect(analyze('verify', socket)).toEqual({ missing: false, status: 0, output: '' });
  });

  it('is exposed to little: 2.0 of 10 at most', () => {
    const { status, output } = analyze('security', '--offline=true', '--threshold=20');
    expect(status, output).toBe(0);
  });
});

describe.skipIf(spawnSync('systemd-socket-activate', ['--version']).error !== undefined)(
  'systemd-socket-activate',
  () => {
    it('hands the port over to the exporter, which answers whoever woke it', async () => {
      const port = await freePort();
      const nowhere = '127.0.0.1:9';
      const activated = spawn(
        'systemd-socket-activate',
        [
          ...['-l', `127.0.0.1:${port}`, '-E', 'BGP_API_KEY=key-number-0', process.execPath, buildProgram()],
          ...['--web.systemd-socket', '--prefix=192.0.2.0/24', `--bgproutes.websocket-url=ws://${nowhere}`],
          ...[`--bgproutes.live-manager-url=http://${nowhere}`, `--bgproutes.data-api-url=http://${nowhere}`],
        ],
        { stdio: ['ignore', 'ignore', 'pipe'] },
      );
      let said = '';
      activated.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      const ended = once(activated, 'exit');
      try {
        await until(() => expect(said).toContain('Listening on'));
        const answer = await fetch(`http://127.0.0.1:${port}/-/healthy`);
        expect([answer.status, await answer.text()]).toEqual([200, 'bgproutes-exporter is healthy.\n']);
        await until(() => expect(said).toContain(`msg="web server listens" address=127.0.0.1:${port}`));
      } finally {
        activated.kill();
        await ended;
      }
    });
  },
);
