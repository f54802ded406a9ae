import { describe, expect, it } from 'vitest';
import { ribCommand } from '../../../src/commands/look/rib.ts';
import type { Simulator } from '../../../src/simulator/contract.ts';
import { KEY, P1, P2, simulate } from '../../bgproutes/client/client-world.ts';
import { addresses, Output, runCommand } from '../command-world.ts';

const NOW = () => new Date(Date.now() + 1_000).toISOString().slice(0, 19);

/** Three VPs see P1 (one of a source that is history only), one sees P2, one a more-specific of P1. */
async function world(): Promise<Simulator> {
  const simulator = await simulate();
  const see = (asn: number, source: 'ris' | 'pch', prefixes: readonly string[], origin: number) => {
    const vp = simulator.addVantagePoint({ protocol: 'bgp', asn, ip: `192.0.2.${asn}`, source });
    simulator.announce(vp.key, prefixes, { asPath: `${asn} ${origin}`, communities: '1:2' });
  };
  see(1, 'ris', [P1, P2], 64500);
  see(22, 'ris', [P1, '192.23.62.128/25'], 64666);
  see(3, 'pch', [P1], 64500);
  return simulator;
}

function rib(simulator: Simulator, args: readonly string[]) {
  return runCommand(ribCommand, [...args, ...addresses(simulator)], { env: { BGP_API_KEY: KEY } });
}

describe('rib', () => {
  it('prints a table, and who originates what on standard error', async () => {
    const run = rib(await world(), [`--prefix=${P1}`, `--prefix=${P2}`, `--date=${NOW()}`]);
    expect(await run.exit).toBe(0);
    expect(run.stdout.lines.toSorted()).toEqual([
      '192.23.62.0/24       1  192.0.2.1    64500  1 64500',
      '192.23.62.0/24      22  192.0.2.22   64666  22 64666',
      '2a06:3040:10::/48    1  192.0.2.1    64500  1 64500',
      'PREFIX             ASN  IP          ORIGIN  AS PATH',
    ]);
    expect(run.stdout.lines[0]).toMatch(/^PREFIX/);
    expect(run.stderr.text).toMatch(
      /^# at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d UTC, asked of 2 vantage points: 3 routes \(2 from 64500, 1 from 64666\)\n$/,
    );
  });

  it('is no wider than a terminal: the address goes, then the AS, and a path goes on below itself', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint({ protocol: 'bgp', asn: 64511, ip: '2001:db8:1111:2222:3333:4444:5555:6666' });
    const asPath = '64511 64496 64497 64498 64499 {64501,64502,64503,64504,64505}';
    simulator.announce(vp.key, P2, { asPath });
    const lines = async (columns: number | undefined) => {
      const stdout = Object.assign(new Output(), { columns, isTTY: columns !== undefined });
      const args = [`--prefix=${P2}`, `--date=${NOW()}`, ...addresses(simulator)];
      const run = runCommand(ribCommand, args, { env: { BGP_API_KEY: KEY, NO_COLOR: '1' }, stdout });
      expect(await run.exit).toBe(0);
      return stdout.lines;
    };
    expect((await lines(undefined))[1]).toMatch(new RegExp(`  64511  2001:db8:1111:\\S+  \\S+  ${asPath}$`));
    expect(await lines(90)).toEqual([
      'PREFIX               ASN                           ORIGIN  AS PATH',
      '2a06:3040:10::/48  64511  {64501,64502,64503,64504,64505}  64511 64496 64497 64498 64499',
      '                                                           {64501,64502,64503,64504,64505}',
    ]);
    for (let columns = 60; columns < 100; columns += 5) {
      const printed = await lines(columns);
      expect(Math.max(...printed.map((line) => line.length))).toBeLessThanOrEqual(columns);
      expect(printed.join('').replaceAll(/\s/g, '')).toContain('64497');
    }
  });

  it('prints JSON', async () => {
    const run = rib(await world(), [`--prefix=${P1}`, `--date=${NOW()}`, '--asn=22', '--format=json']);
    await run.exit;
    expect(JSON.parse(run.stdout.text)).toEqual([
      {
        vp: { protocol: 'bgp', asn: 22, ip: '192.0.2.22' },
        prefix: P1,
        asPath: '22 64666',
        communities: '1:2',
        origin: 64666,
      },
    ]);
  });

  it('prints an empty answer too', async () => {
    const simulator = await world();
    const table = rib(simulator, ['--prefix=198.51.100.0/24', `--date=${NOW()}`]);
    await table.exit;
    expect(table.stdout.lines).toEqual(['PREFIX  ASN  IP  ORIGIN  AS PATH']);
    const json = rib(simulator, ['--prefix=198.51.100.0/24', `--date=${NOW()}`, '--format=json']);
    await json.exit;
    expect(JSON.parse(json.stdout.text)).toEqual([]);
  });

  it('prints more-specifics on demand, and other sources on demand', async () => {
    const simulator = await world();
    const more = rib(simulator, [`--prefix=${P1}`, `--date=${NOW()}`, '--more-specifics']);
    await more.exit;
    expect(more.stdout.text).toContain('192.23.62.128/25');
    const pch = rib(simulator, [`--prefix=${P1}`, `--date=${NOW()}`, '--source=pch']);
    await pch.exit;
    expect(pch.stdout.lines[1]).toContain('192.0.2.3');
    expect(pch.stdout.lines).toHaveLength(2);
  });

  it('asks for five minutes ago by default', async () => {
    const run = rib(await world(), [`--prefix=${P1}`]);
    await run.exit;
    const [, text] = /^# at (\S+) UTC/.exec(run.stderr.text) ?? [];
    expect((Date.now() - Date.parse(`${text}Z`)) / 60_000).toBeCloseTo(5, 0);
    expect(run.stdout.lines).toHaveLength(1); // nothing was there then
  });

  it('is not bound to the prefixes that one session has', async () => {
    const prefixes = Array.from({ length: 12 }, (_, i) => `--prefix=10.0.${i}.0/24`);
    const run = rib(await world(), [...prefixes, `--date=${NOW()}`]);
    expect(await run.exit).toBe(0);
  });

  it.each([
    [[], /^no prefix: --prefix=192\.0\.2\.0\/24, or --config\.file=FILE$/],
    [['--prefix=192.0.2.0/24', '--date=yesterday'], /^--date: expected a time such as/],
    [['--prefix=192.0.2.0/24', '--date=2026-13-40T00:00:00'], /^--date: expected a time such as/],
    // Days that the month has not, which a lenient reader would take for days of the next one.
    [['--prefix=192.0.2.0/24', '--date=2026-02-30T00:00:00'], /^--date: expected a time such as/],
    [['--prefix=192.0.2.0/24', '--date=2126-01-01T00:00:00'], /^--date: expected a time that has passed/],
    [['--prefix=x'], /^--prefix: expected a prefix such as/],
    [['--prefix=192.0.2.0/24', '--source=ris-live'], /^--source: ris-live tells changes only; .*--source=ris$/],
  ])('%j is wrong usage', async (args, message) => {
    const { exit } = runCommand(ribCommand, args, { env: { BGP_API_KEY: KEY } });
    await expect(exit).rejects.toThrow(message);
    await expect(exit).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('does not praise a source that it does not have where the key is missing', async () => {
    const { exit } = runCommand(ribCommand, ['--prefix=192.0.2.0/24'], { env: {} });
    await expect(exit).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringMatching(/^no API key: .* file$/),
    });
  });
});
