import { expect, it } from 'vitest';
import type { CommandOutput } from '../../../src/commands/command.ts';
import { noteLogger } from '../../../src/commands/terminal/note-logger.ts';
import { Output } from '../command-world.ts';

it('writes notes for people, without keys, and nothing for debugging', () => {
  const output = new Output();
  const logger = noteLogger(output as CommandOutput, ['secret-key']).child({ endpoint: 'rib' });
  logger.warn('the Data API is asked again', { wait_seconds: 2, error: 'no route for secret-key' });
  logger.debug('details');
  expect(output.text).toBe(
    '# the Data API is asked again (endpoint rib, wait seconds 2, error no route for [redacted])\n',
  );
});

it('tells what comes after a long reason, too', () => {
  const output = new Output();
  noteLogger(output as CommandOutput, []).warn('asked again', { detail: 'x'.repeat(500), attempt: 2 });
  expect(output.text).toMatch(/^# asked again \(detail x{100,}…, attempt 2\)\n$/);
});
