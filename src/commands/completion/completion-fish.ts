/** Completion for fish. */
import type { Flag } from '../arguments.ts';
import type { Command } from '../command.ts';
import { valuesOf } from './completion-values.ts';

const COMPLETE = 'complete -c bgproutes-exporter';

export function fishCompletion(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  const lines = [`${COMPLETE} -f`];
  for (const { name, summary } of commands) {
    lines.push(`${COMPLETE} -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`);
  }
  lines.push(`${COMPLETE} -l help -d ${quote('Tell what the command does')}`);
  lines.push(`${COMPLETE} -l version -d ${quote('Print the version')}`);
  for (const { name, flags = [], words } of commands) {
    // The command that runs when none is named has its flags there too.
    const others = names.filter((each) => each !== name).join(' ');
    const where =
      name === 'serve' ? `not __fish_seen_subcommand_from ${others}` : `__fish_seen_subcommand_from ${name}`;
    const given = name === 'help' ? names : words;
    if (given !== undefined) {
      const isFirst = `${where}; and not __fish_seen_subcommand_from ${given.filter((word) => word !== name).join(' ')}`;
      lines.push(`${COMPLETE} -n ${quote(isFirst)} -a ${quote(given.join(' '))}`);
    }
    if (name === 'check-config') lines.push(`${COMPLETE} -n ${quote(where)} -F`);
    for (const flag of flags) lines.push(`${COMPLETE} -n ${quote(where)} ${flagSpec(flag)}`);
  }
  return `# fish completion of bgproutes-exporter\n${lines.join('\n')}\n`;
}

function flagSpec(flag: Flag): string {
  const said = `-l ${flag.name} -d ${quote(flag.help)}`;
  const known = valuesOf(flag);
  switch (known.kind) {
    case 'none':
      return said;
    case 'words':
      return `${said} -x -a ${quote(known.words.join(' '))}`;
    case 'file':
      return `${said} -r -F`;
    case 'folder':
      return `${said} -x -a '(__fish_complete_directories)'`;
    case 'any':
      return `${said} -x`;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
