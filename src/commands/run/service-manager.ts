/**
 * Tells systemd what the exporter does (sd_notify). Node has no datagram sockets of the kind that systemd listens at, so the
 * program `systemd-notify` speaks for it; the unit needs `NotifyAccess=all`. Without NOTIFY_SOCKET nothing is told.
 */
import { spawn } from 'node:child_process';
import type { CommandIo } from '../command.ts';

/** What systemd is told, in its own words. */
type Message = 'READY=1' | 'RELOADING=1' | 'STOPPING=1' | 'WATCHDOG=1';

export class ServiceManager {
  readonly #env: CommandIo['env'];
  readonly #warn: (reason: string) => void;
  #last: Promise<void> = Promise.resolve();
  #watchdog: NodeJS.Timeout | undefined;
  #warned = false;

  /** @param warn told once, when systemd waits to be told and cannot be */
  constructor(env: CommandIo['env'], warn: (reason: string) => void) {
    this.#env = env;
    this.#warn = warn;
  }

  /** From now on the watchdog is fed by the event loop: a loop that hangs feeds nobody. */
  ready(): void {
    this.#tell('READY=1');
    const { WATCHDOG_USEC: microseconds, WATCHDOG_PID: pid } = this.#env;
    const intervalMs = Number(microseconds ?? 0) / 1_000 / 2;
    if (this.#watchdog !== undefined || !(intervalMs > 0) || (pid !== undefined && Number(pid) !== process.pid)) return;
    this.#watchdog = setInterval(() => this.#tell('WATCHDOG=1'), intervalMs);
    this.#watchdog.unref();
  }

  reloading(): void {
    this.#tell('RELOADING=1');
  }

  /** Resolves when systemd has been told. */
  stopping(): Promise<void> {
    clearInterval(this.#watchdog);
    this.#tell('STOPPING=1');
    return this.#last;
  }

  /** One after the other: READY after RELOADING must not overtake it. */
  #tell(message: Message): void {
    const { NOTIFY_SOCKET: socket, PATH } = this.#env;
    if (!socket) return;
    this.#last = this.#last.then(
      () =>
        new Promise((resolve) => {
          // Only what it needs: the environment may hold the key.
          const env = { NOTIFY_SOCKET: socket, ...(PATH === undefined ? {} : { PATH }) };
          const child = spawn('systemd-notify', [message], { env, stdio: 'ignore' });
          child.once('error', (error) => {
            if (!this.#warned) this.#warn(error.message);
            this.#warned = true;
            resolve();
          });
          child.once('exit', () => resolve());
        }),
    );
  }
}

/** sd_listen_fds(3): the first descriptor of those that are handed over. */
const FIRST_SOCKET = 3;

/** The descriptors of the sockets that systemd has handed over to this process, not to a parent of it. */
export function systemdSockets({ LISTEN_PID: pid, LISTEN_FDS: count }: CommandIo['env'], ownPid: number): number[] {
  if (pid !== String(ownPid) || !/^[0-9]{1,3}$/.test(count ?? '')) return [];
  return Array.from({ length: Number(count) }, (_, i) => FIRST_SOCKET + i);
}
