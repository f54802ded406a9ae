/** Completion for zsh, by its own `_arguments`. */
import type { Flag } from '../arguments.ts';
import type { Command } from '../command.ts';
import { valuesOf } from './completion-values.ts';

export function zshCompletion(commands: readonly Command[]): string {
  const list = commands.map(({ name, summary }) => `    ${quote(`${name}:${summary.replaceAll(':', '\\:')}`)}\n`);
  const cases = commands.map((command) => {
    const words = command.name === 'help' ? commands.map(({ name }) => name) : command.words;
    const specs = (command.flags ?? []).map(flagSpec);
    if (words !== undefined) specs.push(quote(`1:argument:(${words.join(' ')})`));
    else if (command.name === 'check-config') specs.push(quote('1:configuration file:_files'));
    specs.push(quote('--help[Tell what the command does]'));
    return `    ${command.name})\n      _arguments ${specs.join(' \\\n        ')} ;;\n`;
  });
  return `#compdef bgproutes-exporter
# zsh completion of bgproutes-exporter; put it into a folder of $fpath as _bgproutes-exporter
_bgproutes_exporter() {
  local -a commands
  commands=(
${list.join('')}  )
  local command=serve
  if (( CURRENT > 2 )) && [[ $words[2] != -* ]]; then
    command=$words[2]
    shift words
    (( CURRENT-- ))
  elif (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe command commands
    return
  fi
  case $command in
${cases.join('')}  esac
}
if [[ $funcstack[1] == _bgproutes-exporter ]]; then
  _bgproutes_exporter "$@"
else
  compdef _bgproutes_exporter bgproutes-exporter
fi
`;
}

function flagSpec(flag: Flag): string {
  const { name, value, repeatable, help } = flag;
  const said = help.replaceAll(/[\\[\]:]/g, '\\$&');
  const known = valuesOf(flag);
  const more = repeatable === true ? '*' : '';
  if (known.kind === 'none') return quote(`${more}--${name}[${said}]`);
  const action =
    known.kind === 'words'
      ? `(${known.words.join(' ')})`
      : known.kind === 'file'
        ? '_files'
        : known.kind === 'folder'
          ? '_files -/'
          : ' ';
  return quote(`${more}--${name}=[${said}]:${(value ?? '').replaceAll(':', '\\:')}:${action}`);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
