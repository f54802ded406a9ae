/** The scripts for completion do in real shells what they promise. Needs bash, zsh and fish. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProgram } from '../support/program.ts';

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'completion-'));
  for (const shell of ['bash', 'zsh', 'fish']) {
    const program = startProgram(['completion', shell]);
    expect(await program.exit).toBe(0);
    writeFileSync(join(folder, shell === 'zsh' ? '_bgproutes-exporter' : shell), program.stdout());
  }
  writeFileSync(join(folder, 'a-file.yml'), '');
  writeFileSync(join(folder, 'of two words.yml'), '');
});

afterAll(() => rmSync(folder, { recursive: true }));

/** What the shell offers for a line that ends where the cursor is. */
type Offers = (line: string) => string[];

/** bash itself calls the function with the words split at `=`, which stands among its word breaks. */
const bash: Offers = (line) => {
  const words = line.split(/(?==)|(?<==)| /);
  const script = `source ./bash
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
    _bgproutes_exporter; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return lines(execFileSync('bash', ['--norc', '-c', script], { cwd: folder }).toString());
};

const fish: Offers = (line) => {
  const script = `source ./fish; complete -C ${JSON.stringify(line)}`;
  const output = execFileSync('fish', ['--no-config', '-c', script], {
    cwd: folder,
    env: { ...process.env, HOME: folder },
  }).toString();
  return lines(output).map((each) => each.split('\t')[0]);
};

/** A zsh with a terminal of its own, in which Tab is pressed; what is offered comes between marks. */
const zsh: Offers = (line) => {
  const inner = `
    PS1=''; unset RPS1 zle_bracketed_paste; stty -echo; stty cols 200 rows 200; bindkey -e
    fpath=(${folder} $fpath); autoload -Uz compinit; compinit -u -d ${folder}/dump
    zstyle ':completion:*' list-grouped false; zstyle ':completion:*' insert-tab false
    cd ${folder}
    null-line () { BUFFER=''; print -r -- '<END>' }
    zle -N null-line; bindkey '^X' null-line
    compadd () {
      if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
      typeset -a __hits; builtin compadd -O __hits "$@"
      local prefix='' i; for (( i = 1; i < $#; i++ )) do [[ $@[i] == -p ]] && prefix=$@[i+1]; done
      for each in $__hits; do print -r -- "<HIT>$IPREFIX$prefix$each"; done
      builtin compadd "$@"
    }
    print -r -- '<READY>'
  `;
  const outer = `
    zmodload zsh/zpty
    zpty z zsh -f -i
    zpty -w z ${JSON.stringify(`source ${folder}/inner`)}
    zpty -r z output '*<READY>*'
    zpty -n -w z "$1"$'\\t'$'\\x18'
    zpty -r z output '*<END>*'
    print -r -- $output
    zpty -d z
  `;
  writeFileSync(join(folder, 'inner'), inner);
  const output = execFileSync('zsh', ['-f', '-c', outer, 'zsh', line], { cwd: folder, timeout: 60_000 }).toString();
  return [...output.matchAll(/<HIT>([^\r\n]+)/g)].map(([, hit]) => hit);
};

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

describe.each([
  ['bash', bash],
  ['zsh', zsh],
  ['fish', fish],
])('in %s', (_, offers) => {
  it('commands are completed', () => {
    expect(offers('bgproutes-exporter ta')).toEqual(['tail']);
    expect(offers('bgproutes-exporter s').toSorted()).toEqual(['serve', 'simulate', 'subscribe']);
  });

  it('flags of the command are completed, and of no other', () => {
    const found = offers('bgproutes-exporter tail --f').map((one) => one.replace(/=$/, ''));
    expect(found).toEqual(['--format']);
    expect(offers('bgproutes-exporter tail --sp')).toEqual([]);
    expect(offers('bgproutes-exporter simulate --sp').map((one) => one.replace(/=$/, ''))).toEqual(['--speed']);
  });

  it('flags without a command are those of serve', () => {
    expect(offers('bgproutes-exporter --web.l').map((one) => one.replace(/=$/, ''))).toEqual(['--web.listen-address']);
  });

  it('values are completed', () => {
    const values = offers('bgproutes-exporter tail --format=v').map((one) => one.replace(/^--format=/, ''));
    expect(values.toSorted()).toEqual(['v1', 'v2']);
    const levels = offers('bgproutes-exporter serve --log.level=').map((one) => one.replace(/^--log\.level=/, ''));
    expect(levels.toSorted()).toEqual(['debug', 'error', 'info', 'warn']);
  });

  it('files are completed', () => {
    const files = offers('bgproutes-exporter serve --config.file=a-f').map((one) =>
      one.replace(/^--config\.file=/, ''),
    );
    expect(files).toEqual(['a-file.yml']);
    expect(offers('bgproutes-exporter check-config a-f')).toEqual(['a-file.yml']);
    // The shell quotes it when it puts it into the line.
    const [spaced] = offers('bgproutes-exporter check-config of').map((one) => one.replaceAll('\\', ''));
    expect(spaced).toBe('of two words.yml');
  });

  it('words of a command are completed', () => {
    expect(offers('bgproutes-exporter watch o')).toEqual(['origins']);
    expect(
      offers('bgproutes-exporter completion ')
        .filter((one) => /^[a-z]+$/.test(one))
        .toSorted(),
    ).toEqual(['bash', 'fish', 'zsh']);
  });
});
