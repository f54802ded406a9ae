import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkConfigCommand } from '../../../src/commands/check/check-config.ts';
import { rpkiCommand } from '../../../src/commands/look/rpki.ts';
import { httpServer } from '../../http/http-test-server.ts';
import { runCommand } from '../command-world.ts';

const folder = mkdtempSync(join(tmpdir(), 'rpki-command-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, value: unknown) => {
  const path = join(folder, name);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
};
const vrps = (ageS = 600) => ({
  metadata: { generated: Math.floor(Date.now() / 1_000) - ageS },
  roas: [
    { asn: 'AS64500', prefix: '198.51.100.0/24', maxLength: 24, ta: 'ripe' },
    { asn: 'AS64501', prefix: '198.51.0.0/16', maxLength: 20, ta: 'ripe' },
    { asn: 'AS0', prefix: '203.0.113.0/24', maxLength: 32, ta: 'ripe' },
    { asn: 'AS64999', prefix: '192.0.2.0/24', maxLength: 24, ta: 'ripe' },
  ],
});
const PATH = file('vrps.json', vrps());

async function rpki(...args: string[]) {
  const run = runCommand(rpkiCommand, args);
  return { code: await run.exit, lines: run.stdout.lines, told: run.stderr.text };
}
const ask = (...args: string[]) => rpki(...args, `--rpki.source=${PATH}`);

describe('rpki', () => {
  it('tells the state, the VRPs that cover the prefix, and how old the data is', async () => {
    const { code, lines, told } = await ask('198.51.100.0/24', 'AS64500');
    expect(code).toBe(0);
    expect(lines).toEqual([
      '198.51.100.0/24 from AS64500: valid',
      'PREFIX           LONGEST  AS       SAYS',
      '198.51.0.0/16         20  AS64501  not for so long a prefix',
      '198.51.100.0/24       24  AS64500  valid',
    ]);
    expect(told).toMatch(/# source 0, made \S+ UTC, \d+ min ago: 4 VRPs, 0 ASPAs\n$/);
  });

  it.each([
    ['198.51.100.0/24', '64999', '198.51.100.0/24 from AS64999: invalid_as'],
    ['198.51.100.0/24', 'as64501', '198.51.100.0/24 from AS64501: invalid_length'],
    ['203.0.113.0/24', '0', '203.0.113.0/24 from AS0: invalid_as'],
    ['8.8.8.0/24', '15169', '8.8.8.0/24 from AS15169: not_found'],
  ])('%s from %s', async (prefix, as, first) => {
    expect((await ask(prefix, as)).lines[0]).toBe(first);
  });

  it.each([
    ['198.51.100.0/24', '198.51.100.0/24: valid from AS64500; invalid from any other AS'],
    ['203.0.113.0/24', '203.0.113.0/24: invalid, whoever originates it'],
    ['8.8.8.0/24', '8.8.8.0/24: not_found, whoever originates it: no VRP covers it'],
  ])('%s without an AS: who may originate it', async (prefix, first) => {
    expect((await ask(prefix)).lines[0]).toBe(first);
  });

  it('gives JSON', async () => {
    const { lines } = await ask('192.0.2.0/24', '64999', '--format=json');
    expect(JSON.parse(lines.join('\n'))).toEqual({
      prefix: '192.0.2.0/24',
      as: 64_999,
      validity: 'valid',
      covering_vrps: [{ prefix: '192.0.2.0/24', max_length: 24, as: 64_999 }],
      data_made: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  it('asks the next source where the first cannot be read, and a URL is not shown', async () => {
    const server = await httpServer((_, response) => void response.writeHead(503).end());
    const { code, lines, told } = await rpki(
      '192.0.2.0/24',
      ...[`--rpki.source=${server.url}/json?token=hidden`, `--rpki.source=${PATH}`],
    );
    expect([code, lines[0]]).toEqual([0, '192.0.2.0/24: valid from AS64999; invalid from any other AS']);
    expect(told).toContain('HTTP status 503');
    expect(told).toContain('# source 1, made');
    expect(told).not.toContain('hidden');
  });

  it('ends with 1 where no data is fresh enough', async () => {
    const old = file('old.json', vrps(7 * 3_600));
    expect(await rpki('192.0.2.0/24', `--rpki.source=${old}`)).toMatchObject({ code: 1, lines: [] });
    expect(await rpki('192.0.2.0/24', `--rpki.source=${folder}/none.json`)).toMatchObject({ code: 1, lines: [] });
  });

  it.each([
    [['192.0.2.1/24'], 'did you mean 192.0.2.0/24?'],
    [['office'], 'expected a prefix such as 192.0.2.0/24, got "office"'],
    [['192.0.2.0/24', 'AS1.10'], 'expected an AS number from 0 to 4294967295, got "AS1.10"'],
    [['192.0.2.0/24', '1', '2'], 'unexpected argument "2"'],
    [[], 'PREFIX is missing'],
  ])('refuses %j', async (args, message) => {
    await expect(ask(...args)).rejects.toThrow(message);
  });

  it('wants a source', async () => {
    await expect(rpki('192.0.2.0/24')).rejects.toThrow('no source of validated data');
  });

  it('takes the sources of the configuration', async () => {
    const config = file(
      'exporter.yml',
      'prefixes: [{prefix: 192.0.2.0/24}]\nsources: [ris-live]\nrpki: {sources: [{file: vrps.json}]}\n',
    );
    expect((await rpki('192.0.2.0/24', '64999', `--config.file=${config}`)).lines[0]).toBe(
      '192.0.2.0/24 from AS64999: valid',
    );
  });

  it('needs no key of bgproutes.io, be it only that its file cannot be read', async () => {
    const rest = 'prefixes: [{prefix: 192.0.2.0/24}]\nrpki: {sources: [{file: vrps.json}]}\n';
    for (const keys of ['', `bgproutes: {api_key_files: [${join(folder, 'of-another-user')}]}\n`]) {
      const config = file('keyless.yml', `${keys}${rest}`);
      expect((await rpki('192.0.2.0/24', '64999', `--config.file=${config}`)).lines[0]).toBe(
        '192.0.2.0/24 from AS64999: valid',
      );
    }
  });
});

describe('check-config', () => {
  async function check(yaml: string, ...args: string[]) {
    const path = file('checked.yml', `sources: [ris-live]\n${yaml}`);
    const run = runCommand(checkConfigCommand, [path, ...args]);
    return { code: await run.exit, told: run.stderr.text.replaceAll(`${path}: warning: `, ''), said: run.stdout.text };
  }

  it('warns of a prefix that is never announced, and is content', async () => {
    const { code, told, said } = await check(
      'prefixes: [{prefix: 10.1.0.0/16}, {prefix: "fd00::/8"}, {prefix: 9.0.0.0/8}]\n',
    );
    expect(code).toBe(0);
    expect(told).toBe(
      '10.1.0.0/16 is never announced on the public Internet: it is in 10.0.0.0/8 (RFC 1918)\n' +
        'fd00::/8 is never announced on the public Internet: it is outside of 2000::/3 (RFC 4291)\n',
    );
    expect(said).toContain('the configuration is right: 3 prefixes');
  });

  it('warns of a file of names that cannot be read', async () => {
    const { code, told } = await check('prefixes: [{prefix: 9.0.0.0/8}]\nnames: {as_file: nowhere.txt}\n');
    expect(code).toBe(0);
    expect(told).toBe(`names.as_file: ${join(folder, 'nowhere.txt')} cannot be read: no such file\n`);
  });

  it('with --online it warns of configured origins that are invalid', async () => {
    file('online.json', {
      roas: [
        { asn: 64_500, prefix: '9.0.0.0/8', maxLength: 8 },
        { asn: 64_501, prefix: '8.8.8.0/24', maxLength: 24 },
      ],
    });
    const { code, told } = await check(
      'prefixes: [{prefix: 9.1.0.0/16, origins: [64500, 64501]}, {prefix: 8.8.8.0/24, origins: [64501]}, {prefix: 7.0.0.0/8, origins: [1]}]\nrpki: {sources: [{file: online.json}]}\n',
      '--online',
    );
    expect(code).toBe(0);
    expect(told.split('\n').filter((line) => !line.startsWith('#'))).toEqual([
      '9.1.0.0/16 from AS64500 is RPKI invalid_length: there are VRPs for 9.0.0.0/8 up to /8 from AS64500',
      '9.1.0.0/16 from AS64501 is RPKI invalid_as: there are VRPs for 9.0.0.0/8 up to /8 from AS64500',
      '',
    ]);
  });

  it('with --online it ends with 1 where nobody answers, and says so where nobody is configured', async () => {
    const none = await check('prefixes: [{prefix: 9.0.0.0/8}]\nrpki: {sources: [{file: none.json}]}\n', '--online');
    expect(none.code).toBe(1);
    expect(none.told).toContain('no source of rpki.sources has validated data that is fresh enough');
    const without = await check('prefixes: [{prefix: 9.0.0.0/8}]\n', '--online');
    expect([without.code, without.told]).toEqual([0, '--online asks nobody: rpki.sources is not configured\n']);
  });
});
