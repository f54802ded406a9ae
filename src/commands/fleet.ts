/** `bgproutes-exporter fleet create-topics | check`: the topics by which exporters share the prefixes. */
import { configSecrets, loadConfig, MAX_PARTITION_PREFIXES } from '../config/config.ts';
import type { FleetConfig } from '../config/fleet/fleet-config.ts';
import { ConfigError } from '../errors.ts';
import { crowdedPartitions } from '../fleet/partitions.ts';
import { type TopicAdmin, topicProblems, withTopics } from '../fleet/topics.ts';
import { redactor } from '../secrets/redaction.ts';
import { type Flag, formatFlags, parseArguments, UsageError } from './arguments.ts';
import type { Command, CommandIo } from './command.ts';
import { foldMessage } from './terminal/folding.ts';

const FLAGS: readonly Flag[] = [
  {
    name: 'config.file',
    value: 'FILE',
    help: 'Configuration file (YAML) with a section fleet, the same for all exporters.',
  },
  { name: 'replicas', value: 'N', help: 'Copies of each partition, for create-topics [the default of the brokers].' },
];

const ACTIONS = ['create-topics', 'check'] as const;

export const fleetCommand: Command = {
  name: 'fleet',
  summary: 'Create or check the Kafka topics through which exporters share the prefixes',
  flags: FLAGS,
  help: `Usage: bgproutes-exporter fleet ACTION --config.file=FILE [flags]

create-topics  Creates the topics of events and of state if they are missing. It does not change topics that exist.
check          Says what is wrong with the topics, and what they have.
Exit code 0: nothing is wrong. 1: a topic is wrong, or no broker answers. 2: the configuration or the command line is wrong.

Flags:
${formatFlags(FLAGS)}
Examples:
  bgproutes-exporter fleet create-topics --config.file=bgproutes.yml --replicas=3
  bgproutes-exporter fleet check --config.file=bgproutes.yml
`,

  async run(args, io) {
    const { flags, positionals } = parseArguments(args, FLAGS, ['ACTION']);
    const action = ACTIONS.find((known) => known === positionals[0]);
    if (action === undefined)
      throw new UsageError(`unknown action "${positionals[0]}", expected ${ACTIONS.join(' or ')}`);
    const { 'config.file': file, replicas } = flags;
    if (typeof file !== 'string') throw new UsageError('--config.file is missing');
    const copies = replicas === undefined ? undefined : Number(replicas);
    if (copies !== undefined && !(Number.isInteger(copies) && copies >= 1 && copies <= 100))
      throw new UsageError('--replicas needs a whole number from 1 to 100');
    const config = loadConfig({ flags: { 'config.file': file }, env: io.env });
    const { fleet } = config;
    if (fleet === undefined) throw new ConfigError([`${file}: fleet: expected a section with brokers, got none`]);
    const all = config.prefixes.map(({ prefix }) => prefix);
    const crowded = crowdedPartitions(all, fleet.partitions, MAX_PARTITION_PREFIXES);
    if (crowded.length > 0) throw new ConfigError(crowded.map((text) => `${file}: ${text}`));
    const redact = redactor(configSecrets(config));
    return withTopics(fleet, 'bgproutes-exporter', redact, (topics) =>
      action === 'check' ? check(topics, fleet, io) : create(topics, fleet, copies, io),
    );
  },
};

async function create(topics: TopicAdmin, fleet: FleetConfig, replicas: number | undefined, io: CommandIo) {
  const made = await topics.create(fleet, replicas);
  for (const name of made) tell(`${name}: made, with ${fleet.partitions} partitions`, io);
  // Metadata is eventual: what was just made may be missing from a list for a second.
  if (made.length > 0) return 0;
  tell('both topics are there', io);
  return check(topics, fleet, io);
}

async function check(topics: TopicAdmin, fleet: FleetConfig, io: CommandIo): Promise<number> {
  const found = await topics.find(fleet);
  for (const { name, partitions, replicas, settings } of found) {
    if (partitions === 0) continue;
    const policy = settings['cleanup.policy'] ?? 'unknown';
    const kept = policy === 'delete' ? `, retention.ms=${settings['retention.ms'] ?? 'unknown'}` : '';
    tell(`${name}: partitions ${partitions}, replicas ${replicas}, cleanup.policy=${policy}${kept}`, io);
    if (replicas === 1)
      io.stderr.write(`${foldMessage(`${name}: warning: one copy: what its broker loses is lost`, io.stderr)}\n`);
  }
  const problems = topicProblems(found, fleet);
  for (const text of problems) io.stderr.write(`${foldMessage(text, io.stderr)}\n`);
  if (problems.length === 0) tell('the topics are right', io);
  return problems.length === 0 ? 0 : 1;
}

function tell(line: string, { stdout }: CommandIo): void {
  stdout.write(`${foldMessage(line, stdout)}\n`);
}
