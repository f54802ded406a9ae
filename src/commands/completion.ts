/** `bgproutes-exporter completion SHELL`: completion of commands, flags and values, made from the table of commands. */
import { didYouMean } from '../input/suggestion.ts';
import { parseArguments, UsageError } from './arguments.ts';
import type { Command } from './command.ts';
import { bashCompletion } from './completion/completion-bash.ts';
import { fishCompletion } from './completion/completion-fish.ts';
import { zshCompletion } from './completion/completion-zsh.ts';

const SHELLS: Readonly<Record<string, (commands: readonly Command[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** Needs the table of all commands, because its output lists them. */
export function completionCommand(all: () => Promise<readonly Command[]>): Command {
  return {
    name: 'completion',
    summary: 'Print a script that completes commands and flags in bash, zsh or fish',
    words: Object.keys(SHELLS),
    help: `Usage: bgproutes-exporter completion bash|zsh|fish

Prints a script for the shell. It knows the commands and flags of this version.

Examples:
  source <(bgproutes-exporter completion bash)                                  # in ~/.bashrc
  bgproutes-exporter completion zsh > "\${fpath[1]}/_bgproutes-exporter"         # before compinit
  bgproutes-exporter completion fish > ~/.config/fish/completions/bgproutes-exporter.fish
`,

    async run(args, io) {
      const { positionals } = parseArguments(args, [], ['the shell (bash, zsh or fish)']);
      const [shell] = positionals;
      if (!Object.hasOwn(SHELLS, shell)) {
        const hint = didYouMean(shell, Object.keys(SHELLS));
        throw new UsageError(`expected bash, zsh or fish, got "${shell}"${hint}`);
      }
      io.stdout.write(SHELLS[shell](await all()));
      return 0;
    },
  };
}
