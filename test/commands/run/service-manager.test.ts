import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ServiceManager } from '../../../src/commands/run/service-manager.ts';
import { until } from '../../support/patience.ts';

const folder = mkdtempSync(join(tmpdir(), 'bgproutes-exporter-'));
afterAll(() => rmSync(folder, { recursive: true }));

const notes = join(folder, 'notes');
const program = join(folder, 'systemd-notify');
writeFileSync(program, `#!/bin/sh\necho "$NOTIFY_SOCKET $* key=$BGP_API_KEY" >>'${notes}'\n`);
chmodSync(program, 0o755);
const PATH = `${folder}:/bin:/usr/bin`;

function told(): string[] {
  return readFileSync(notes, 'utf8').trimEnd().split('\n');
}

describe('systemd', () => {
  it('is told in order, and gets nothing else of the environment', async () => {
    const env = { NOTIFY_SOCKET: '/run/x', PATH, BGP_API_KEY: 'secret-key' };
    const manager = new ServiceManager(env, () => {});
    manager.ready();
    manager.reloading();
    manager.ready();
    await manager.stopping();
    expect(told()).toEqual(['READY=1', 'RELOADING=1', 'READY=1', 'STOPPING=1'].map((one) => `/run/x ${one} key=`));
    rmSync(notes);
  });

  it('has its watchdog fed while the event loop turns', async () => {
    const env = { NOTIFY_SOCKET: '/run/x', PATH, WATCHDOG_USEC: '20000', WATCHDOG_PID: String(process.pid) };
    const manager = new ServiceManager(env, () => {});
    manager.ready();
    await until(() => expect(told().filter((line) => line.includes('WATCHDOG=1')).length).toBeGreaterThan(1));
    await manager.stopping();
    rmSync(notes);
  });

  it('that waits for nobody is told nothing', async () => {
    const warnings: string[] = [];
    const manager = new ServiceManager({ PATH: '/nowhere' }, (reason) => warnings.push(reason));
    manager.ready();
    await manager.stopping();
    expect(warnings).toEqual([]);
  });

  it('that cannot be told is one warning', async () => {
    const warnings: string[] = [];
    const manager = new ServiceManager({ NOTIFY_SOCKET: '/run/x', PATH: '/nowhere' }, (reason) =>
      warnings.push(reason),
    );
    manager.ready();
    await manager.stopping();
    expect(warnings).toEqual(['spawn systemd-notify ENOENT']);
  });
});
