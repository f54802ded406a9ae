/** A prefix of all paths: what blackbox_exporter answers with `--web.external-url=https://mon.example/bgp/`. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { routePrefixOf } from '../../../src/config/route-prefix.ts';
import type { AnsweredRequest } from '../../../src/outputs/web-server.ts';
import { SecureWorld } from './secure-world.ts';

let world: SecureWorld;
let answered: AnsweredRequest[];

beforeEach(() => {
  world = new SecureWorld();
  answered = [];
});

afterEach(() => world.close());

describe('with a prefix', () => {
  it.each([
    ['/', 302, 'https://mon.example/bgp/'],
    ['/bgp', 301, '/bgp/'],
    ['/bgp/metrics', 200, undefined],
    ['/bgp/-/healthy', 200, undefined],
    ['/bgp/-/ready', 200, undefined],
    ['/metrics', 404, undefined],
    ['/-/healthy', 404, undefined],
    ['/bgpx/metrics', 404, undefined],
    ['/bgp/bgp/metrics', 404, undefined],
  ])('%s is %s', async (path, status, location) => {
    await world.start('', { routePrefix: '/bgp', externalUrl: 'https://mon.example/bgp/' });
    const answer = await world.askPlain(path);
    expect([answer.status, answer.headers.location]).toEqual([status, location]);
  });

  it('counts requests by their paths behind it', async () => {
    await world.start('', { routePrefix: '/bgp', onRequest: (request) => answered.push(request) });
    for (const path of ['/bgp/metrics', '/metrics', '/bgp/none']) await world.askPlain(path);
    expect(answered.map(({ path, status }) => [path, status])).toEqual([
      ['/metrics', 200],
      ['other', 404],
      ['other', 404],
    ]);
  });

  it('tells of a wrong method as without it, and of its own address where no other is known', async () => {
    await world.start('', { routePrefix: '/a/b' });
    expect((await world.askPlain('/a/b/-/reload')).headers.allow).toBe('POST');
    expect((await world.askPlain('/')).headers.location).toBe('/a/b/');
    expect(world.log.join('')).toMatch(/url=http:\/\/127\.0\.0\.1:\d+\/a\/b\/metrics/);
  });
});

it.each([
  ['', '', ''],
  ['https://mon.example', '', ''],
  ['https://mon.example/', '', ''],
  ['https://mon.example/bgp/', '', '/bgp'],
  ['https://mon.example/a/b', '', '/a/b'],
  ['https://mon.example/bgp/', '/', ''],
  ['https://mon.example/bgp/', 'other/', '/other'],
  ['', '/bgp', '/bgp'],
])('the prefix of external URL "%s" and route prefix "%s" is "%s"', (url, prefix, expected) => {
  expect(routePrefixOf(url, prefix)).toBe(expected);
});
