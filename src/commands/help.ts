/** `bgproutes-exporter help [COMMAND]` and `--help`. */
import { UsageError, unknownCommand } from './arguments.ts';
import type { Command } from './command.ts';
import { foldHelp, widthOf } from './terminal/folding.ts';

/** Gives a command by its name, or undefined. */
export type FindCommand = (name: string) => Promise<Command | undefined>;

/** The overview: what there is, then what runs without a command. */
export function overview(commands: readonly Command[], serve: Command): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  const list = commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}\n`).join('');
  return `Prometheus and OpenTelemetry exporter for the bgproutes.io live BGP stream.

Usage: bgproutes-exporter [command] [flags]

Commands:
${list}
bgproutes-exporter COMMAND --help tells more of each. Without a command:

${serve.help}`;
}

/** Needs the table of all commands, because its output lists them. */
export function helpCommand(all: () => Promise<readonly Command[]>): Command {
  return {
    name: 'help',
    summary: 'Tell what a command does',
    help: `Usage: bgproutes-exporter help [COMMAND]

Prints the help of a command, or the list of all.

Example:
  bgproutes-exporter help simulate
`,

    async run(args, io) {
      if (args.length > 1) throw new UsageError(`unexpected argument "${args[1]}"`);
      const commands = await all();
      const [name] = args;
      const command = commands.find((each) => each.name === name);
      if (name !== undefined && command === undefined) {
        throw unknownCommand(
          name,
          commands.map((each) => each.name),
        );
      }
      const serve = commands.find((each) => each.name === 'serve') ?? commands[0];
      io.stdout.write(foldHelp(command?.help ?? overview(commands, serve), widthOf(io.stdout)));
      return 0;
    },
  };
}
