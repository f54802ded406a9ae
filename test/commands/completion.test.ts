import { describe, expect, it } from 'vitest';
import type { Flag } from '../../src/commands/arguments.ts';
import type { Command } from '../../src/commands/command.ts';
import { bashCompletion } from '../../src/commands/completion/completion-bash.ts';
import { fishCompletion } from '../../src/commands/completion/completion-fish.ts';
import { valuesOf } from '../../src/commands/completion/completion-values.ts';
import { zshCompletion } from '../../src/commands/completion/completion-zsh.ts';
import { completionCommand } from '../../src/commands/completion.ts';
import { tailCommand } from '../../src/commands/look/tail.ts';
import { watchCommand } from '../../src/commands/look/watch.ts';
import { serveCommand } from '../../src/commands/run/serve.ts';
import { simulateCommand } from '../../src/commands/simulator/simulate.ts';
import { startProgram } from '../support/program.ts';
import { runCommand } from './command-world.ts';

const COMMANDS: readonly Command[] = [serveCommand, simulateCommand, tailCommand, watchCommand];

describe('values', () => {
  it.each<[Flag, object]>([
    [{ name: 'loop', help: '' }, { kind: 'none' }],
    [
      { name: 'format', value: 'pretty|v1|json', help: '' },
      { kind: 'words', words: ['pretty', 'v1', 'json'] },
    ],
    [
      { name: 'speed', value: 'N|max', help: '' },
      { kind: 'words', words: ['max'] },
    ],
    [
      { name: 'log.level', value: 'LEVEL', help: '' },
      { kind: 'words', words: ['debug', 'info', 'warn', 'error'] },
    ],
    [{ name: 'config.file', value: 'FILE', help: '' }, { kind: 'file' }],
    [{ name: 'storage.path', value: 'FOLDER', help: '' }, { kind: 'folder' }],
    [{ name: 'prefix', value: 'PREFIX', help: '' }, { kind: 'any' }],
  ])('%j', (flag, expected) => {
    expect(valuesOf(flag)).toEqual(expected);
  });
});

describe('completion', () => {
  it.each([
    ['bash', bashCompletion],
    ['zsh', zshCompletion],
    ['fish', fishCompletion],
  ])('for %s has every command and every flag', async (shell, script) => {
    const run = runCommand(
      completionCommand(async () => COMMANDS),
      [shell],
    );
    expect(await run.exit).toBe(0);
    expect(run.stdout.text).toBe(script(COMMANDS));
    for (const { name, flags = [] } of COMMANDS) {
      expect(run.stdout.text).toContain(name);
      for (const flag of flags)
        expect(run.stdout.text).toContain(shell === 'fish' ? `-l ${flag.name} ` : `--${flag.name}`);
    }
  });

  it('quotes what a shell would read as something else', () => {
    const awkward: Command = {
      ...tailCommand,
      name: 'awkward',
      summary: `It's: "$(reboot)" \`x\``,
      flags: [{ name: 'flag', value: 'A:B', help: `Don't [say]: \\ $(reboot)` }],
    };
    expect(zshCompletion([awkward])).toContain(`'awkward:It'\\''s\\: "$(reboot)" \`x\`'`);
    expect(zshCompletion([awkward])).toContain(`'--flag=[Don'\\''t \\[say\\]\\: \\\\ $(reboot)]:A\\:B: '`);
    expect(fishCompletion([awkward])).toContain(`-d 'Don\\'t [say]: \\\\ $(reboot)'`);
    expect(bashCompletion([awkward])).not.toContain('reboot');
  });

  it.each([
    [[], 'the shell (bash, zsh or fish) is missing'],
    [['tcsh'], 'expected bash, zsh or fish, got "tcsh"'],
    [['constructor'], 'expected bash, zsh or fish, got "constructor"'],
  ])('%j is wrong usage', async (args, message) => {
    const { exit } = runCommand(
      completionCommand(async () => COMMANDS),
      args,
    );
    await expect(exit).rejects.toMatchObject({ code: 'USAGE', message });
  });
});

describe('every command of the program', () => {
  it('is completed, and has a help with an example', async () => {
    const overview = startProgram(['help']);
    expect(await overview.exit).toBe(0);
    const [, list] = /Commands:\n([\s\S]*?)\n\n/.exec(overview.stdout()) ?? [];
    // A summary may go on in the next line, further to the right.
    const names = [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining(['serve', 'tail', 'watch', 'vps', 'rib', 'subscribe', 'completion']));
    const script = startProgram(['completion', 'bash']);
    expect(await script.exit).toBe(0);
    for (const name of names) {
      expect(script.stdout()).toMatch(new RegExp(`^ {4}${name}\\)$`, 'm'));
      const help = startProgram([name, '--help']);
      expect(await help.exit).toBe(0);
      expect(help.stdout()).toMatch(/^Usage: bgproutes-exporter [\s\S]*^Examples?:\n {2}/m);
      // What the help says of flags, the completion knows.
      for (const [, flag] of help.stdout().matchAll(/^ {2}(--[a-z.-]+)/gm)) expect(script.stdout()).toContain(flag);
    }
  });
});
