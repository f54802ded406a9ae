/** What a command says beside its output: a line on standard error that begins with `#`. */
import type { CommandIo } from '../command.ts';
import { foldMessage } from './folding.ts';

export function note({ stderr }: Pick<CommandIo, 'stderr'>, text: string): void {
  stderr.write(`${foldMessage(`# ${text}`, stderr, '#   ')}\n`);
}
