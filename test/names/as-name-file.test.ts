import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { AsNameFile, readAsNames } from '../../src/names/as-name-file.ts';
import { ManualTimers } from '../stream/manual-timers.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { until } from '../support/patience.ts';

const folder = mkdtempSync(join(tmpdir(), 'names-'));
const path = join(folder, 'asn.txt');
afterEach(() => rmSync(path, { force: true }));

it('a file is read at the start, and again when it has changed; a file that is gone leaves the names', async () => {
  const timers = new ManualTimers();
  const log = new RecordingLogger();
  const warnings = () => log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
  const file = new AsNameFile({ path, timers, log });
  const look = async (check: () => void) => {
    await until(() => expect(timers.nextInMs).toBe(600_000));
    timers.advance(600_000);
    await until(check);
  };
  file.start();
  await until(() => expect(warnings()).toHaveLength(1));
  expect(warnings()[0]).toMatch(/there are none/);
  writeFileSync(path, '64500 first, NL\n');
  await look(() => expect(file.names?.find(64_500)?.name).toBe('first'));
  writeFileSync(path, '64500 second one, NL\n');
  await look(() => expect(file.names?.find(64_500)?.name).toBe('second one'));
  rmSync(path);
  await look(() => expect(warnings()).toHaveLength(2));
  expect(warnings()[1]).toMatch(/are kept/);
  expect(file.names?.find(64_500)?.name).toBe('second one');
  await file.stop();
});

it.each([
  ['what is of no form', 'hello\nworld\n', /none of the forms/],
  ['an empty file', '', /none of the forms/],
  ['no file', undefined, /no such file/i],
])('%s has no names', async (_, text, reason) => {
  if (text !== undefined) writeFileSync(path, text);
  const read = await readAsNames(path);
  expect(read).toMatchObject({ ok: false });
  expect(!read.ok && read.reason).toMatch(reason);
});

it('a folder is no file', async () => {
  expect(await readAsNames(folder)).toEqual({ ok: false, reason: 'it is not a regular file' });
});
