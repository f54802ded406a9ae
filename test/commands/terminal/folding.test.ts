import { describe, expect, it } from 'vitest';
import { checkConfigCommand } from '../../../src/commands/check/check-config.ts';
import { healthcheckCommand } from '../../../src/commands/check/healthcheck.ts';
import type { Command } from '../../../src/commands/command.ts';
import { completionCommand } from '../../../src/commands/completion.ts';
import { helpCommand, overview } from '../../../src/commands/help.ts';
import { ribCommand } from '../../../src/commands/look/rib.ts';
import { rpkiCommand } from '../../../src/commands/look/rpki.ts';
import { subscribeCommand } from '../../../src/commands/look/subscribe.ts';
import { tailCommand } from '../../../src/commands/look/tail.ts';
import { vpsCommand } from '../../../src/commands/look/vps.ts';
import { watchCommand } from '../../../src/commands/look/watch.ts';
import { serveCommand } from '../../../src/commands/run/serve.ts';
import { demoCommand } from '../../../src/commands/simulator/demo.ts';
import { simulateCommand } from '../../../src/commands/simulator/simulate.ts';
import { foldHelp, foldMessage, widthOf } from '../../../src/commands/terminal/folding.ts';

const COMMANDS: readonly Command[] = [
  ...[serveCommand, simulateCommand, demoCommand, checkConfigCommand, healthcheckCommand, tailCommand, watchCommand],
  ...[
    vpsCommand,
    ribCommand,
    rpkiCommand,
    subscribeCommand,
    completionCommand(async () => []),
    helpCommand(async () => []),
  ],
];

const HELP = `Usage: program [flags]

One sentence that is written on a line of its
own, and another one.

Flags:
  --a=VALUE  What it does, in a few words.
  --long     What that does.

Example:
  KEY=x program --a=1 --long | head
`;

describe('a help', () => {
  it('is folded: paragraphs as a whole, second columns below themselves, commands with backslashes', () => {
    expect(foldHelp(HELP, 36)).toBe(
      `Usage: program [flags]

One sentence that is written on a
line of its own, and another one.

Flags:
  --a=VALUE
      What it does, in a few words.
  --long
      What that does.

Example:
  KEY=x program --a=1 --long | \\
    head
`,
    );
  });

  it('joins lines that a wider terminal has room for', () => {
    expect(foldHelp(HELP, 80)).toContain('\nOne sentence that is written on a line of its own, and another one.\n');
  });

  it.each([76, 80, 100])('of any command has no line over %d columns, and loses no word', (width) => {
    const words = (text: string) => text.split(/[\s\\]+/).join(' ');
    for (const help of [...COMMANDS.map((each) => each.help), overview(COMMANDS, serveCommand)]) {
      const text = foldHelp(help, width);
      expect(words(text)).toBe(words(help));
      const long = text.split('\n').filter((line) => line.length > width);
      expect(long.filter((line) => line.trim().replace(/ \\$/, '').includes(' '))).toEqual([]);
    }
  });
});

it('the width is that of the terminal, within what can be read, and 80 without one', () => {
  expect([widthOf({}), widthOf({ columns: 20 }), widthOf({ columns: 72 }), widthOf({ columns: 300 })]).toEqual([
    80, 40, 72, 100,
  ]);
});

describe('a message', () => {
  const message = `the configuration is wrong:
  bgp.yml:3:5: prefixes[0].origns: unknown key, did you mean origins?
in/one/word/that/no/terminal/of/forty/columns/has/room/for`;

  it('is folded on a terminal, between words, each line on its own', () => {
    expect(foldMessage(message, { isTTY: true, columns: 40 })).toBe(`the configuration is wrong:
  bgp.yml:3:5: prefixes[0].origns:
      unknown key, did you mean origins?
in/one/word/that/no/terminal/of/forty/columns/has/room/for`);
  });

  it('takes the last column, and keeps two blanks inside a line', () => {
    expect(foldMessage('14:03:20  outage of 192.0.2.0/24: 9 -> 0', { isTTY: true, columns: 40 })).not.toContain('\n');
    expect(foldMessage('14:03:20  outage of 192.0.2.0/24: 19 -> 0', { isTTY: true, columns: 40 }, '          ')).toBe(
      '14:03:20  outage of 192.0.2.0/24: 19 ->\n          0',
    );
  });

  it('stays whole for a pipe', () => {
    expect(foldMessage(message, { columns: 40 })).toBe(message);
    expect(foldMessage(message, { isTTY: true })).toBe(message);
  });
});
