/** A fleet as its users have it: programs that share the prefixes through Kafka, and one that has all of them for itself. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { Simulator } from '../../src/simulator/contract.ts';
import { EMPTY_SCENARIO } from '../../src/simulator/scenario/scenario.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { FleetWatch, type Watched } from './fleet-watch.ts';
import { type Program, startProgram } from './program.ts';

export const WAIT = { timeout: 180_000, interval: 500 };

/** The exporter that has all prefixes for itself. */
export const SINGLE = 'single';

/** The quota of a key must be enough for one question, or more, for each of its prefixes. */
const PREFIXES_A_KEY = 250;

/** They name the source, which is the fleet. */
const OF_SOURCES = ['bgp_prefix_session_info{', 'bgp_prefix_source_vps{', 'bgp_prefix_source_trusted{'];

export interface FleetSetup {
  readonly prefixes: readonly string[];
  /** Names of the exporters of the fleet. */
  readonly members: readonly string[];
  readonly partitions: number;
  readonly sessionTimeoutS: number;
  /** What the section `fleet` says of the brokers, for a program of the fleet: keys and values of a YAML flow mapping. */
  readonly connection: (name: string) => string;
  /** Sections about the source, instead of the bgproutes.io stream of the simulator. */
  readonly source?: (simulator: Simulator) => string;
  /** Whether all prefixes are trusted once all is calm. Default true; without a history none ever is. */
  readonly isTrusted?: boolean;
  /** VPs of the simulated Internet. Default 30. */
  readonly vps?: number;
}

interface Running {
  readonly program: Program;
  readonly url: string;
}

export class FleetWorld {
  readonly setup: FleetSetup;
  /** Where the configurations are; files that they name are looked for here. */
  readonly folder = mkdtempSync(join(tmpdir(), 'fleet-'));
  readonly #programs = new Map<string, Running>();
  readonly #frozen = new Set<string>();
  readonly #keys: number;
  #simulator: Simulator | undefined;
  #turn = 0;

  constructor(setup: FleetSetup) {
    this.setup = setup;
    this.#keys = Math.ceil(setup.prefixes.length / PREFIXES_A_KEY);
  }

  get simulator(): Simulator {
    if (this.#simulator === undefined) throw new Error('the world has not begun');
    return this.#simulator;
  }

  async begin(): Promise<void> {
    const { vps = 30 } = this.setup;
    this.#simulator = await startSimulator({
      ...{ apiKeys: [...this.#keysOf('fleet'), ...this.#keysOf(SINGLE)], seed: 7, maxPrefixes: PREFIXES_A_KEY },
      ...{ dataApiLatencyMs: 0, dataApiLagMs: 0, heartbeatMs: 0 },
      scenario: { ...EMPTY_SCENARIO, vps, generate_unknown_prefixes: true },
    });
  }

  /** Ends all programs, and removes the folder. */
  async end(): Promise<void> {
    await Promise.all([...this.#programs.keys()].map((name) => this.stop(name, 'SIGKILL')));
    await this.#simulator?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Writes the configuration of a program. */
  configFile(name: string): string {
    const { prefixes, partitions, sessionTimeoutS, connection, source } = this.setup;
    const { websocketUrl, url } = this.simulator;
    const isFleet = name !== SINGLE;
    const file = join(this.folder, `${name}.yml`);
    const keys = this.#keysOf(isFleet ? 'fleet' : SINGLE).join(', ');
    const bgproutes = `bgproutes: {api_keys: [${keys}], prefixes_per_key: ${PREFIXES_A_KEY}, websocket_url: "${websocketUrl}", live_manager_url: "${url}", data_api_url: "${url}"}`;
    const fleet = `fleet: {${connection(name)}, partitions: ${partitions}, instance: ${name}, session_timeout: ${sessionTimeoutS}s, state_interval: 2s}`;
    const lines = [
      `prefixes: [${prefixes.map((prefix) => `{prefix: "${prefix}"}`).join(', ')}]`,
      source?.(this.simulator) ?? bgproutes,
      'table: {data_api_lag: 0s, vp_poll_interval: 10s}',
      "web: {listen_address: '127.0.0.1:0'}",
      isFleet ? fleet : '',
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    return file;
  }

  /** Starts a program of this name, and resolves when its outputs can be reached. */
  async start(name: string, command: 'serve' | 'ingest' = 'serve'): Promise<Program> {
    const program = startProgram([command, `--config.file=${this.configFile(name)}`]);
    this.#programs.set(name, { program, url: '' });
    const [, address] = await program.seen(/address=(?:http:\/\/)?([0-9.]+:[0-9]+)/);
    this.#programs.set(name, { program, url: `http://${address}` });
    return program;
  }

  /** All members, and the exporter that is compared with them. Resolves when each member shows partitions. */
  async startAll(): Promise<void> {
    const { members } = this.setup;
    await Promise.all([SINGLE, ...members].map((name) => this.start(name)));
    await vi.waitFor(async () => {
      const owned = await Promise.all(members.map(async (name) => ownedIn(await this.scrape(name))));
      expect(Math.min(...owned)).toBeGreaterThan(0);
    }, WAIT);
  }

  program(name: string): Program {
    const running = this.#programs.get(name);
    if (running === undefined) throw new Error(`${name} does not run`);
    return running.program;
  }

  url(name: string): string {
    return this.#programs.get(name)?.url ?? '';
  }

  /** Resolves when it has ended. */
  async stop(name: string, signal: NodeJS.Signals): Promise<void> {
    const program = this.program(name);
    this.#programs.delete(name);
    program.child.kill(signal);
    await program.exit;
  }

  /** Takes the processor away from a program (SIGSTOP). It is not asked for anything then. */
  freeze(name: string): void {
    this.#frozen.add(name);
    this.program(name).child.kill('SIGSTOP');
  }

  /** Gives it back (SIGCONT). @returns what the program answers to a request that was there before, so that it is the first thing it does */
  async thaw(name: string): Promise<string | undefined> {
    this.#frozen.delete(name);
    const answer = this.scrape(name);
    // Another program answers after the request was sent.
    await this.scrape(SINGLE);
    this.program(name).child.kill('SIGCONT');
    return answer;
  }

  /** A command that ends by itself. */
  async run(...args: readonly string[]): Promise<{ readonly code: number | NodeJS.Signals; readonly text: string }> {
    const program = startProgram(args);
    return { code: await program.exit, text: program.stdout() + program.stderr() };
  }

  /** Makes the topics, and resolves when all brokers know them. */
  async createTopics(...flags: readonly string[]): Promise<void> {
    const file = `--config.file=${this.configFile('command')}`;
    expect(await this.run('fleet', 'create-topics', file, ...flags)).toMatchObject({ code: 0 });
    await vi.waitFor(async () => expect(await this.run('fleet', 'check', file)).toMatchObject({ code: 0 }), WAIT);
  }

  /** The text of `/metrics`; undefined: it does not run, or does not answer. */
  async scrape(name: string): Promise<string | undefined> {
    const url = this.url(name);
    if (url === '' || this.#frozen.has(name)) return undefined;
    try {
      // Compressing megabytes would cost more than all else.
      const headers = { 'accept-encoding': 'identity' };
      return await (await fetch(`${url}/metrics`, { headers, signal: AbortSignal.timeout(20_000) })).text();
    } catch {
      return undefined;
    }
  }

  /** Values by `name{labels}` of the series of an exporter that begin so; empty when it does not answer. */
  async samples(name: string, prefix: string): Promise<Map<string, string>> {
    return samplesOf((await this.scrape(name)) ?? '', prefix);
  }

  /** Series of prefixes, of all members together. Rejects when two of them have the same series. */
  async union(): Promise<Map<string, string>> {
    const all = new Map<string, string>();
    for (const part of await Promise.all(this.setup.members.map((name) => this.samples(name, 'bgp_prefix_')))) {
      for (const [series, value] of part) {
        if (all.has(series)) throw new Error(`${series} is shown by two`);
        all.set(series, value);
      }
    }
    return all;
  }

  /** Resolves when the members together show what one exporter shows, series by series, and all of it is trusted. */
  async equal(): Promise<void> {
    const { prefixes, isTrusted = true } = this.setup;
    await vi.waitFor(async () => {
      const [one, fleet] = [await this.samples(SINGLE, 'bgp_prefix_'), await this.union()];
      const wrong = [...one].filter(([series, value]) => fleet.get(series) !== value);
      const told = wrong.slice(0, 5).map(([series, value]) => `${series} ${value}, the fleet ${fleet.get(series)}`);
      expect({ wrong: told, series: fleet.size }).toEqual({ wrong: [], series: one.size });
      const trusted = [...one].filter(([series]) => series.startsWith('bgp_prefix_trusted{'));
      expect(trusted.length).toBe(prefixes.length);
      expect(trusted.filter(([, value]) => value !== (isTrusted ? '1' : '0'))).toEqual([]);
    }, WAIT);
  }

  /**
   * Changes routes, and looks at the members in turn, until every prefix is shown and it is over, by their texts of `/metrics`.
   * Rejects when two have shown one prefix at the same time.
   */
  watch(isOver: (texts: ReadonlyMap<string, string>) => boolean = () => true, changes = 100): Promise<Watched> {
    const watch = new FleetWatch(this.setup.members, (name) => this.scrape(name));
    return watch.until(isOver, this.setup.prefixes.length, () => this.churn(changes));
  }

  /**
   * Changes routes until all partitions have been written to the topic of state since now, twice.
   * @returns the most prefixes that nobody showed in one look at all members
   */
  async watchStateWritten(): Promise<number> {
    let most = 0;
    for (let times = 0; times < 2; times++) {
      let before: ReadonlyMap<string, number> | undefined;
      const { mostHidden } = await this.watch((texts) => {
        const now = statesAtS(texts);
        before ??= now;
        const isNewer = ([partition, atS]: readonly [string, number]) => atS > (before?.get(partition) ?? 0);
        return now.size === this.setup.partitions && [...now].every(isNewer);
      });
      most = Math.max(most, mostHidden);
    }
    return most;
  }

  /** How many prefixes no member shows. */
  async hidden(): Promise<number> {
    const watch = new FleetWatch(this.setup.members, (name) => this.scrape(name));
    return this.setup.prefixes.length - (await watch.round());
  }

  /** How long the members took for the partition that came last, s; the longest of them. */
  async restoreS(): Promise<number> {
    const name = 'bgp_fleet_restore_seconds';
    const all = await Promise.all(this.setup.members.map((member) => this.samples(member, name)));
    return Math.max(...all.map((one) => Number(one.get(name) ?? 0)));
  }

  /** Changes of routes, made up but the same in every run: of monitored prefixes, and of some inside them. */
  churn(changes: number, vps = this.simulator.vantagePoints()): void {
    const { prefixes } = this.setup;
    for (let i = 0; i < changes; i++) {
      const turn = ++this.#turn;
      const { key, asn } = vps[(turn * 7) % vps.length];
      const monitored = prefixes[(turn * 13) % prefixes.length];
      const prefix = turn % 11 === 0 ? firstHalf(monitored) : monitored;
      if (turn % 5 === 0) this.simulator.withdraw(key, prefix);
      else this.simulator.announce(key, prefix, { asPath: `${asn} ${64_600 + (turn % 9)} 64500` });
    }
  }

  #keysOf(name: string): string[] {
    return Array.from({ length: this.#keys }, (_, i) => `${name}-key-${i}`);
  }
}

/** When each partition was last written to the topic of state, by whoever shows it. */
function statesAtS(texts: ReadonlyMap<string, string>): Map<string, number> {
  const all = [...texts.values()].map((text) => samplesOf(text, 'bgp_fleet_state_timestamp_seconds'));
  return new Map(all.flatMap((one) => [...one].map(([series, value]) => [series, Number(value)] as const)));
}

/** How many partitions a member shows, by its text of `/metrics`. */
export function ownedIn(text = ''): number {
  const name = 'bgp_fleet_partitions_owned';
  return Number(samplesOf(text, name).get(name) ?? 0);
}

export function samplesOf(text: string, prefix: string): Map<string, string> {
  const isWanted = (line: string) => line.startsWith(prefix) && !OF_SOURCES.some((name) => line.startsWith(name));
  const lines = text.split('\n').filter(isWanted);
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]));
}

/** `10.0.0.0/24` to `10.0.0.0/25`. */
function firstHalf(prefix: string): string {
  const [network, length] = prefix.split('/');
  return `${network}/${Number(length) + 1}`;
}
