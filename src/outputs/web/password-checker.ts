/**
 * Compares passwords with bcrypt hashes. One comparison takes a tenth of a second and more, so a thread does it, at low
 * priority, one after the other. Answers are remembered by a keyed digest: no password stays in memory.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/** `busy`: too many wait for an answer; ask again later. */
export type PasswordAnswer = 'right' | 'wrong' | 'busy';

/** Answers of a kind that are remembered: wrong ones cannot push out right ones. */
const MAX_REMEMBERED = 100;
/** Comparisons that wait or run, and those of one address among them. */
const MAX_WAITING = 32;
const MAX_WAITING_PER_ADDRESS = 4;

/**
 * JavaScript, since Node 20 cannot start a thread from TypeScript, and the sources run as they are in tests. On Linux a
 * priority is a thread's own: the stream is not held up where there is only one processor.
 */
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  try {
    const thread = Number(require('node:fs').readlinkSync('/proc/thread-self').split('/').pop());
    require('node:os').setPriority(thread, 10);
  } catch {}
  const { compareSync } = require(workerData);
  parentPort.on('message', ({ password, hash }) => {
    let right = false;
    try {
      right = compareSync(password, hash);
    } catch {}
    parentPort.postMessage(right);
  });
`;

interface Comparison {
  readonly address: string;
  readonly password: string;
  readonly hash: string;
  readonly settle: (right: boolean | undefined) => void;
}

export class PasswordChecker {
  readonly #digestKey = randomBytes(32);
  readonly #right = new Remembered();
  readonly #wrong = new Remembered();
  /** Under way, by their digests: who asks the same gets the same answer. */
  readonly #pending = new Map<string, Promise<PasswordAnswer>>();
  readonly #queue: Comparison[] = [];
  #thread: Worker | undefined;

  /** An answer at once when it was given before, else a promise. `address`: who asks, for the bound of one client. */
  check(
    users: ReadonlyMap<string, string>,
    name: string,
    password: string,
    address: string,
  ): PasswordAnswer | Promise<PasswordAnswer> {
    const known = users.get(name);
    // An unknown user is compared with the hash of another one, always the same, so that time does not tell who exists.
    const hash = known ?? this.#standIn(users, name);
    const key = this.#digest(JSON.stringify([known !== undefined, name, hash, password]));
    if (this.#right.has(key)) return 'right';
    if (this.#wrong.has(key)) return 'wrong';
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending;
    const ofAddress = this.#queue.filter((each) => each.address === address).length;
    if (this.#queue.length >= MAX_WAITING || ofAddress >= MAX_WAITING_PER_ADDRESS) return 'busy';
    const answer = this.#compare(password, readableHash(hash), address).then((right): PasswordAnswer => {
      this.#pending.delete(key);
      if (right === undefined) return 'busy';
      const isRight = right && known !== undefined;
      (isRight ? this.#right : this.#wrong).add(key);
      return isRight ? 'right' : 'wrong';
    });
    this.#pending.set(key, answer);
    return answer;
  }

  /** Whoever waits is told `busy`. */
  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    this.#giveUp();
    await thread?.terminate();
  }

  #standIn(users: ReadonlyMap<string, string>, name: string): string {
    const hashes = [...users.values()];
    return hashes[Number.parseInt(this.#digest(name).slice(0, 8), 16) % hashes.length];
  }

  #digest(text: string): string {
    return createHmac('sha256', this.#digestKey).update(text).digest('hex');
  }

  #compare(password: string, hash: string, address: string): Promise<boolean | undefined> {
    return new Promise((settle) => {
      this.#queue.push({ address, password, hash, settle });
      if (this.#queue.length === 1) this.#next();
    });
  }

  /** The first of the queue is under way. */
  #next(): void {
    if (this.#queue.length === 0) return;
    const [{ password, hash }] = this.#queue;
    this.#thread ??= this.#start();
    this.#thread.postMessage({ password, hash });
  }

  #start(): Worker {
    const workerData = createRequire(import.meta.url).resolve('bcryptjs');
    // Flags of the process (of a debugger, a profiler) are not for the thread.
    const thread = new Worker(THREAD, { eval: true, workerData, execArgv: [], env: {} });
    thread.unref();
    thread.on('message', (right: boolean) => {
      this.#queue.shift()?.settle(right);
      this.#next();
    });
    // A thread that ended, because memory was short, is started again by the next comparison.
    thread.on('error', () => {});
    thread.on('exit', () => {
      if (this.#thread !== thread) return;
      this.#thread = undefined;
      this.#giveUp();
    });
    return thread;
  }

  #giveUp(): void {
    for (const { settle } of this.#queue.splice(0)) settle(undefined);
  }
}

/** As Go reads it: `$2x$` and `$2$` are compared as `$2b$`, and what follows the 60th character is not looked at. */
function readableHash(hash: string): string {
  return hash.replace(/^\$2x?\$/, () => '$2b$').slice(0, 60);
}

/** The last keys that were added or asked for. */
class Remembered {
  readonly #keys = new Set<string>();

  has(key: string): boolean {
    if (!this.#keys.delete(key)) return false;
    this.#keys.add(key);
    return true;
  }

  add(key: string): void {
    this.#keys.add(key);
    if (this.#keys.size > MAX_REMEMBERED) for (const oldest of this.#keys) return void this.#keys.delete(oldest);
  }
}
