import { describe, expect, it } from 'vitest';
import { vpsCommand } from '../../../src/commands/look/vps.ts';
import type { Simulator } from '../../../src/simulator/contract.ts';
import { cleanups, KEY, simulate } from '../../bgproutes/client/client-world.ts';
import { httpServer } from '../../http/http-test-server.ts';
import { addresses, Output, runCommand } from '../command-world.ts';

async function world(): Promise<Simulator> {
  const simulator = await simulate();
  simulator.addVantagePoint({
    protocol: 'bgp',
    asn: 3333,
    ip: '193.0.0.56',
    source: 'ris',
    country: 'NL',
    ribSizeV4: 950_000,
    ribSizeV6: 200_000,
  });
  simulator.addVantagePoint({
    protocol: 'bmp',
    asn: 64501,
    ip: '2001:db8::9',
    parent: { asn: 64500, ip: '192.0.2.1' },
    source: 'bgproutes.io',
    country: 'JP',
  });
  simulator.addVantagePoint({ protocol: 'bgp', asn: 42, ip: '192.0.2.42', source: 'pch', country: 'US' });
  return simulator;
}

function vps(simulator: Simulator, args: readonly string[] = []) {
  return runCommand(vpsCommand, [...args, ...addresses(simulator)], { env: { BGP_API_KEY: KEY } });
}

describe('vps', () => {
  it('prints a table, and how many there are on standard error', async () => {
    const run = vps(await world());
    expect(await run.exit).toBe(0);
    expect(run.stdout.lines).toEqual([
      'ID  PROTOCOL    ASN  IP           STATUS  SOURCE        IPV4 ROUTES  IPV6 ROUTES  COUNTRY  ROUTER             ORGANISATION',
      ' 1  bgp        3333  193.0.0.56   up      ris                950000       200000  NL                          Network of AS3333',
      ' 2  bgp          42  192.0.2.42   up      pch               1000000       220000  US                          Network of AS42',
      ' 1  bmp       64501  2001:db8::9  up      bgproutes.io      1000000       220000  JP       AS64500 192.0.2.1  Network of AS64501',
    ]);
    expect(run.stderr.text).toBe('# 3 vantage points\n');
  });

  it('fits a narrow terminal, with the longest addresses and AS numbers that there are', async () => {
    const simulator = await world();
    const ip = '2001:db8:1111:2222:3333:4444:5555:6666';
    simulator.addVantagePoint({
      ...{ protocol: 'bmp', asn: 4_200_000_000, ip, parent: { asn: 4_200_000_001, ip: `${ip.slice(0, -1)}7` } },
      source: 'bgproutes.io',
    });
    for (const columns of [80, 100]) {
      const stdout = Object.assign(new Output(), { isTTY: true, columns });
      const run = runCommand(vpsCommand, addresses(simulator), {
        env: { BGP_API_KEY: KEY, NO_COLOR: '1' },
        stdout,
      });
      expect(await run.exit).toBe(0);
      expect(Math.max(...stdout.lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
      expect(stdout.text).toContain(`4200000000  ${ip}`);
      expect(stdout.text).toContain('bgproutes.io');
    }
  });

  it('prints JSON', async () => {
    const run = vps(await world(), ['--format=json', '--source=ris', '--source=pch']);
    await run.exit;
    const parsed = JSON.parse(run.stdout.text) as { vp: object; source: string; ribSizeV4: number }[];
    expect(parsed.map(({ source }) => source)).toEqual(['ris', 'pch']);
    expect(parsed[0]).toMatchObject({ vp: { protocol: 'bgp', asn: 3333, ip: '193.0.0.56' }, ribSizeV4: 950_000 });
  });

  it.each([
    [
      ['--asn=3333', '--asn=AS42'],
      [3333, 42],
    ],
    [['--ip=193.0.0.56'], [3333]],
    [['--protocol=bmp'], [64501]],
    [
      ['--country=us', '--country=NL'],
      [3333, 42],
    ],
    [['--status=down'], []],
    [['--asn=3333', '--country=US'], []],
  ])('%j picks', async (args, expected) => {
    const run = vps(await world(), [...args, '--format=json']);
    await run.exit;
    expect((JSON.parse(run.stdout.text) as { vp: { asn: number } }[]).map(({ vp }) => vp.asn)).toEqual(expected);
  });

  it.each([
    ['--asn=x', '--asn: expected an AS number such as 64500, got "x"'],
    ['--ip=1.2.3', '--ip: expected an address such as 192.0.2.1, got "1.2.3"'],
    ['--protocol=ospf', '--protocol: expected bgp or bmp, got "ospf"'],
    ['--source=a,b', '--source: expected a name such as ris, got "a,b"'],
    [
      '--country=Netherlands',
      '--country: expected a code of two letters such as NL (ISO 3166-1), got "Netherlands", did you mean NL?',
    ],
    ['--country=UK', '--country: expected a code of two letters such as NL (ISO 3166-1), got "UK", did you mean GB?'],
    ['--status=odd', '--status: expected up, down, ignored or unknown, got "odd"'],
    ['--format=v1', '--format: expected table or json, got "v1"'],
  ])('%s is wrong usage', async (flag, message) => {
    const { exit } = runCommand(vpsCommand, [flag], { env: { BGP_API_KEY: KEY } });
    await expect(exit).rejects.toMatchObject({ code: 'USAGE', message });
  });

  it('says that a source is not known, rather than to print an empty table alone', async () => {
    const run = vps(await world(), ['--source=rrc00']);
    expect(await run.exit).toBe(0);
    expect(run.stderr.lines[0]).toBe(
      '# --source=rrc00: no such source is known; known are bgproutes.io, ris, routeviews, pch, cgtf',
    );
  });

  it('says that a country is not known, and asks all the same', async () => {
    const run = vps(await world(), ['--country=xx']);
    expect(await run.exit).toBe(0);
    expect(run.stderr.lines[0]).toBe('# --country=XX: no such country is known (ISO 3166-1)');
  });

  it('says what of the answer could not be read, and lets no text of it reach the terminal raw', async () => {
    const good = { id: 1, asn: 1, ip: '192.0.2.1', source: 'ris', status: 'up', org_name: 'Evil\u001b[31m\nInc.' };
    const data = { bgp: [good, { id: 2, asn: 2, ip: 'nowhere' }, 'x'], bmp: [] };
    const server = await httpServer((_, response) => void response.end(JSON.stringify({ seconds: 0, bytes: 0, data })));
    cleanups.push(() => server.close());
    const run = vps({ url: server.url, websocketUrl: 'ws://127.0.0.1:1' } as Simulator);
    expect(await run.exit).toBe(0);
    expect(run.stdout.lines.at(-1)).toMatch(/Evil \[31m Inc\.$/);
    expect(run.stdout.lines).toHaveLength(2);
    expect(run.stderr.text).toBe(
      '# 1 vantage point; 2 of the answer could not be taken as it came (shape: 1, vp: 1)\n',
    );
  });

  it('ends with the error of the API, typed', async () => {
    const simulator = await world();
    const wrong = runCommand(vpsCommand, addresses(simulator), { env: { BGP_API_KEY: 'wrong' } });
    await expect(wrong.exit).rejects.toMatchObject({ code: 'FORBIDDEN', status: 403 });
  });

  it('is stopped while it waits', async () => {
    const simulator = await world();
    simulator.faults.api('vantage_points', 'timeout');
    const run = vps(simulator);
    expect(await run.stop()).toBe(0);
    expect(run.stdout.text).toBe('');
  });
});
