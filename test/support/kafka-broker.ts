/** A real Kafka broker for tests, started by `broker.sh`, which `KAFKA_TOOLS` names the folder of. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const SCRIPT = join(resolve(process.env.KAFKA_TOOLS ?? '../shared/kafka'), 'broker.sh');

/** The first port of a test file, which has ten. `KAFKA_TEST_PORT` moves those of all files. */
export function kafkaPort(file: number): number {
  return Number(process.env.KAFKA_TEST_PORT ?? 21_510) + 10 * file;
}

/** The folder of the broker's programs, which are fetched when they are missing. */
export async function kafkaJars(): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', [SCRIPT, 'jars'], { timeout: 300_000 });
  return stdout.trim();
}

/** A broker that joins the cluster of another one, which is also its controller. */
export interface Follower {
  readonly nodeId: number;
  readonly of: KafkaBroker;
}

export class KafkaBroker {
  /** Holds whatever the test keeps beside the broker's data. */
  readonly folder = mkdtempSync(join(tmpdir(), 'kafka-'));
  readonly port: number;
  readonly #data = join(this.folder, 'broker');
  readonly #properties: () => readonly string[];
  readonly #follower: Follower | undefined;

  /**
   * @param port of its plain listener; its controller has the next one
   * @param properties settings beyond those of `broker.sh`, as lines, asked for at each start
   */
  constructor(port: number, properties: () => readonly string[] = () => [], follower?: Follower) {
    this.port = port;
    this.#properties = properties;
    this.#follower = follower;
  }

  /** Of its plain listener. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Resolves when it serves. What was written before a `kill` or `stop` is there again. */
  async start(): Promise<void> {
    if (!existsSync(SCRIPT)) throw new Error(`${SCRIPT} is missing: KAFKA_TOOLS names the folder of broker.sh`);
    const follower = this.#follower === undefined ? [] : this.#join(this.#follower);
    writeFileSync(join(this.folder, 'extra.properties'), `${[...follower, ...this.#properties()].join('\n')}\n`);
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#run('start', this.#data, String(this.port));
        return;
      } catch (error) {
        // The script makes up the name of a cluster; one in 64 begins with a dash, which Kafka takes for an option.
        if (attempt === 5 || !String(error).includes('--cluster-id')) throw error;
      }
    }
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    await this.#run('kill', this.#data);
  }

  /** Ends it for good, and removes its folder. */
  async remove(): Promise<void> {
    if (existsSync(this.#data)) await this.#run('kill', this.#data);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A data folder of the same cluster: `broker.sh` would make one of a cluster of its own. */
  #join({ nodeId, of }: Follower): string[] {
    const meta = join(this.#data, 'data', 'meta.properties');
    if (!existsSync(meta)) {
      const [cluster] =
        readFileSync(join(of.#data, 'data', 'meta.properties'), 'utf8').match(/^cluster\.id=.*$/m) ?? [];
      mkdirSync(join(this.#data, 'data'), { recursive: true });
      writeFileSync(meta, `version=1\n${cluster}\nnode.id=${nodeId}\n`);
    }
    return [
      ...['process.roles=broker', `node.id=${nodeId}`, `controller.quorum.voters=1@127.0.0.1:${of.port + 1}`],
      `listeners=PLAINTEXT://${this.address}`,
    ];
  }

  async #run(...args: readonly string[]): Promise<void> {
    const env = { ...process.env, KAFKA_EXTRA_PROPERTIES: join(this.folder, 'extra.properties') };
    await promisify(execFile)('bash', [SCRIPT, ...args], { env, timeout: 300_000 });
  }
}
