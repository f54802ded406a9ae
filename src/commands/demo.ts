/** `bgproutes-exporter demo`: the simulator and the exporter against it, in one process; tells what happens as it happens. */
import { containsPrefix } from '../bgp/prefix.ts';
import { type Config, loadConfig } from '../config/config.ts';
import { formatDuration } from '../config/duration.ts';
import type { FlagValues } from '../config/flags.ts';
import type { RunningExporter } from '../exporter.ts';
import { createLogger } from '../logger.ts';
import { DEMO_SCENARIO } from '../simulator/demo-scenario.ts';
import type { Simulator } from '../simulator/simulator.ts';
import { stepLine } from '../simulator/step-line.ts';
import type { StepReport } from '../simulator/steps.ts';
import { buildInfo } from '../version.ts';
import { type Flag, formatFlags, parseArguments, UsageError } from './arguments.ts';
import { aborted, type Command, type CommandIo, type CommandOutput } from './command.ts';

const API_KEY = 'key-of-the-demo';

/** How long the exporter may take to hear of a step; then its numbers are shown as they are. */
const HEARD_LIMIT_MS = 2_000;
const HEARD_POLL_MS = 20;

/** Shorter than a file may ask of the real service: VPs of the scenario are down for seconds. */
const VP_POLL_MS = 5_000;

const FLAGS: readonly Flag[] = [
  { name: 'web.listen-address', value: 'HOST:PORT', help: 'Where to serve [:10479: all interfaces].' },
  { name: 'speed', value: 'N', help: 'Times real time, 0.1 to 20 [1].' },
  { name: 'seed', value: 'N', help: 'Another Internet for every number [1].' },
  {
    name: 'log.level',
    value: 'LEVEL',
    help: 'Log of the exporter on standard error: debug, info, warn or error [error].',
  },
];

export const demoCommand: Command = {
  name: 'demo',
  summary: 'Show everything at work without key, network or server: simulator and exporter in one',
  flags: FLAGS,
  help: `Usage: bgproutes-exporter demo [flags]

Starts a simulated Internet and the exporter against it, says what to open, and prints a line for everything that
happens: an outage, a hijack, a path change, a recovery and more within five minutes, and again.

Flags:
${formatFlags(FLAGS)}
Example:
  bgproutes-exporter demo --web.listen-address=127.0.0.1:9000 --speed=2
`,

  async run(args, io) {
    const { flags } = parseArguments(args, FLAGS);
    const speed = decimal(flags.speed, 'speed', 0.1, 20, 1);
    const seed = decimal(flags.seed, 'seed', 0, 4_294_967_295, 1);
    // Before anything starts: a wrong flag must not leave a simulator behind.
    demoConfig('ws://localhost', 'http://localhost', flags, io.env);
    const { startSimulator } = await import('../simulator/simulator.ts');
    const { startExporter } = await import('../exporter.ts');
    const paint = painter(io.stdout, io.env.NO_COLOR);
    let exporter: RunningExporter | undefined;
    let simulator: Simulator | undefined;
    let told = Promise.resolve();
    const onStep = (report: StepReport) => {
      const line = paint(report, stepLine(report, Date.now()));
      // One after the other, also where the exporter hears of a later one first.
      told = told.then(async () => {
        await heard(report, () => exporter, simulator);
        const says = exporter === undefined ? '' : `${' '.repeat(10)}${exporterSays(exporter, report)}\n`;
        io.stdout.write(`${line}\n${says}`);
      });
    };
    simulator = await startSimulator({ apiKeys: [API_KEY], seed, speed, scenario: DEMO_SCENARIO, onStep });
    try {
      const config = demoConfig(simulator.websocketUrl, simulator.url, flags, io.env);
      const logger = createLogger({ ...config.log, destination: io.stderr, secrets: [API_KEY] });
      exporter = await startExporter(config, { logger, version: buildInfo(io.env) });
      const vps = simulator.vantagePoints().filter(({ isLive }) => isLive).length;
      io.stdout.write(welcome(config, exporter.address, vps, speed));
      await aborted(io.signal);
    } finally {
      await exporter?.stop();
      await simulator.stop();
    }
    return 0;
  },
};

/** What one would write into a file for the network of the scenario. */
function demoConfig(websocketUrl: string, apiUrl: string, flags: FlagValues, env: CommandIo['env']): Config {
  const file = {
    prefixes: DEMO_SCENARIO.prefixes.map(({ prefix, description, group, origin, upstreams }) => ({
      prefix,
      description,
      group,
      origins: [origin],
      upstreams,
    })),
    bgproutes: { websocket_url: websocketUrl, live_manager_url: apiUrl, data_api_url: apiUrl },
    // A network that changes this fast is looked at more often than a real one; its Data API does not lag.
    table: { reseed_interval: '1m', data_api_lag: '0s' },
    log: { level: 'error' },
  };
  const config = loadConfig({
    flags: {
      'web.listen-address': flags['web.listen-address'],
      'log.level': flags['log.level'],
      'config.file': 'demo.yml',
    },
    // Of the environment only what says where the metrics are pushed to: a real key is no business of a demo.
    env: {
      ...Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('OTEL_'))),
      BGP_API_KEY: API_KEY,
    },
    readFile: () => JSON.stringify(file), // JSON is YAML
  });
  return { ...config, table: { ...config.table, vpPollIntervalMs: VP_POLL_MS } };
}

function welcome(config: Config, address: string | undefined, vps: number, speed: number): string {
  const port = address?.slice(address.lastIndexOf(':') + 1);
  const isLocal = address === undefined || /^(?:0\.0\.0\.0|\[::\]|127\.0\.0\.1|\[::1\]):/.test(address);
  const base = `http://${isLocal ? `localhost:${port}` : address}`;
  const round = formatDuration(Math.round((DEMO_SCENARIO.loop_every ?? 0) / speed / 1000) * 1000);
  return `The exporter watches ${config.prefixes.length} prefixes through ${vps} simulated vantage points (VPs). Open

  ${base}${config.web.telemetryPath}   the metrics
  ${base}/          a page for people

What happens, as it happens, and again every ${round} (Ctrl-C stops):

`;
}

/** Waits until the exporter has heard of a step: until both sides count the same VPs for every prefix. */
async function heard(
  { kind }: StepReport,
  exporter: () => RunningExporter | undefined,
  simulator: Simulator | undefined,
): Promise<void> {
  const limitMs = performance.now() + (kind === 'vp_loss' ? VP_POLL_MS + HEARD_LIMIT_MS : HEARD_LIMIT_MS);
  const agree = (): boolean => {
    const states = exporter()?.table.prefixes.states() ?? [];
    return [...states].every(({ prefix, visible }) => visible === simulator?.visibleVps(prefix.text));
  };
  while (!agree() && performance.now() < limitMs) await new Promise((resolve) => setTimeout(resolve, HEARD_POLL_MS));
}

/** The exporter's own numbers, as its metrics show them at this moment. */
function exporterSays({ table, figures }: RunningExporter, { prefix }: StepReport): string {
  const monitored = prefix === undefined ? undefined : table.prefixes.find(prefix)?.monitored;
  if (monitored === undefined) {
    return `metrics: ${table.vpsByProtocol.bgp + table.vpsByProtocol.bmp} VPs, ${table.routes} routes`;
  }
  const { state, origins } = monitored;
  const byCount = [...origins.entries()].sort(([, a], [, b]) => b - a);
  const list = byCount.map(([as, vps]) => `AS${table.paths.asText(as)} at ${vps}`).join(', ');
  const parts = [...table.prefixes.moreSpecifics()].filter(
    (part) => part.visible > 0 && containsPrefix(state.prefix, part.prefix),
  );
  return [
    `metrics: visible at ${state.visible} of ${table.expected(monitored)} VPs`,
    `origin ${list === '' ? 'none' : list}`,
    ...parts.map((part) => `more-specific ${part.prefix.text} at ${part.visible}`),
    ...(figures.seeded ? [] : ['the table is not seeded yet']),
  ].join('; ');
}

const RED = '\u001b[31m';
const GREEN = '\u001b[32m';
const YELLOW = '\u001b[33m';
const RESET = '\u001b[0m';

/** Colours on a terminal only, and not where NO_COLOR (no-color.org) is set. */
function painter(output: CommandOutput, noColor: string | undefined): (report: StepReport, line: string) => string {
  if (output.isTTY !== true || (noColor !== undefined && noColor !== '')) return (_, line) => line;
  return ({ kind, vpsBefore, vpsAfter }, line) => {
    const bad = kind === 'outage' || kind === 'hijack' || kind === 'subprefix_hijack';
    const good = kind === 'recovery' || (kind === 'vp_loss' && vpsAfter > vpsBefore);
    return `${bad ? RED : good ? GREEN : YELLOW}${line}${RESET}`;
  };
}

function decimal(value: unknown, name: string, min: number, max: number, fallback: number): number {
  if (value === undefined) return fallback;
  const number = typeof value === 'string' && /^[0-9]{1,10}(?:\.[0-9]{1,3})?$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max && (name !== 'seed' || Number.isInteger(number))) return number;
  throw new UsageError(`--${name}: expected a ${name === 'seed' ? 'whole ' : ''}number from ${min} to ${max}`);
}
