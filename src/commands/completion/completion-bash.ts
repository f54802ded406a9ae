/** Completion for bash 3.2 and later, without the package bash-completion. */
import type { Command } from '../command.ts';
import { valuesOf } from './completion-values.ts';

/** bash splits words at `=`: `--format=v1` comes as three words. */
export function bashCompletion(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  const cases = commands.map((command) => {
    const flags = (command.flags ?? []).map((flag) => `--${flag.name}${flag.value === undefined ? '' : '='}`);
    const words = command.name === 'help' ? names : (command.words ?? []);
    const all = [...words, ...flags, '--help', '--version'].join(' ');
    const values = (command.flags ?? []).flatMap((flag) => {
      const known = valuesOf(flag);
      if (known.kind === 'none') return [];
      const [kind, list] =
        known.kind === 'words'
          ? ['words', known.words.join(' ')]
          : [known.kind === 'file' || known.kind === 'folder' ? known.kind : 'any', ''];
      return [`        --${flag.name}) kind=${kind}; words="${list}" ;;\n`];
    });
    // Its argument is a file; what begins with a dash is a flag all the same.
    const bare = command.name === 'check-config' ? '"") [[ $cur == -* ]] || kind=file ;;\n        ' : '';
    return `    ${command.name})
      all="${all}"
      case "$flag" in
${values.join('')}        ${bare}*) kind=none ;;
      esac ;;
`;
  });
  return `# bash completion of bgproutes-exporter; source <(bgproutes-exporter completion bash)
_bgproutes_exporter() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}"
  local command=serve flag="" kind=none words="" all="" newline=$'\\n'
  if [[ $cur == "=" ]]; then
    flag=$prev cur=""
  elif [[ $prev == "=" && $COMP_CWORD -ge 2 ]]; then
    flag="\${COMP_WORDS[COMP_CWORD-2]}"
  elif [[ $prev == --* ]]; then
    flag=$prev
  fi
  if [[ $COMP_CWORD -gt 1 && \${COMP_WORDS[1]} != -* ]]; then command="\${COMP_WORDS[1]}"; fi
  case "$command" in
${cases.join('')}    *) return ;;
  esac
  if [[ $COMP_CWORD -eq 1 && $flag == "" ]]; then all="${names.join(' ')} $all"; fi
  COMPREPLY=()
  case "$kind" in
    words) COMPREPLY=($(compgen -W "$words" -- "$cur")) ;;
    file) local IFS=$newline; compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")) ;;
    folder) local IFS=$newline; compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")) ;;
    any) ;;
    none)
      COMPREPLY=($(compgen -W "$all" -- "$cur"))
      if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi ;;
  esac
}
complete -F _bgproutes_exporter bgproutes-exporter
`;
}
