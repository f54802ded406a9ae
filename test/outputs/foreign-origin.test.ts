import type { IncomingHttpHeaders } from 'node:http';
import { expect, it } from 'vitest';
import { isForeign } from '../../src/outputs/foreign-origin.ts';

it.each<[string, IncomingHttpHeaders, boolean]>([
  ['a program, by the name of this machine', { host: 'noc1.example.net:10479' }, false],
  ['a program, by the name of the external URL', { host: 'mon.example.net' }, false],
  ['a program, by the name of a Kubernetes service', { host: 'exporter.monitoring.svc:10479' }, false],
  ['a program, by the whole name of such a service', { host: 'exporter.monitoring.svc.cluster.local.' }, false],
  ['a program, by a name that a stranger could own', { host: 'exporter.example.net:10479' }, true],
  ['a program, by such a name over HTTP/2', { ':authority': 'exporter.example.net:10479' }, true],
  ['a name that only ends like an own one', { host: 'evil-noc1.example.net' }, true],
  ['what is no host', { host: 'a b' }, true],
  ['a page of this host over HTTP/2', { ':authority': '192.0.2.1', origin: 'https://192.0.2.1' }, false],
  ['a page by the external URL', { host: 'mon.example.net', origin: 'https://mon.example.net' }, false],
  ['a program without a host (HTTP/1.0)', {}, false],
  ['a page of this host', { host: '192.0.2.1:10479', origin: 'http://192.0.2.1:10479' }, false],
  ['a page of this host by IPv6', { host: '[2001:db8::1]:10479', origin: 'http://[2001:DB8::1]:10479' }, false],
  ['a page of localhost', { host: 'localhost:10479', origin: 'http://localhost:10479' }, false],
  ['a page by a name of the own network', { host: 'exporter:10479', origin: 'http://exporter:10479' }, false],
  ['a page by the name of this machine', { host: 'NOC1.example.net', origin: 'http://noc1.example.net' }, false],
  [
    'a page behind a reverse proxy',
    { host: '10.0.0.5:10479', 'x-forwarded-host': 'exporter', origin: 'https://exporter' },
    false,
  ],
  ['a page of elsewhere', { host: '192.0.2.1:10479', origin: 'http://evil.example' }, true],
  ['a page of another port', { host: 'localhost:10479', origin: 'http://localhost:8080' }, true],
  ['a page of another address', { host: '192.0.2.1:10479', origin: 'http://198.51.100.7' }, true],
  ['a name that a stranger points here', { host: 'evil.example', origin: 'http://evil.example' }, true],
  [
    'such a name that also claims a proxy',
    { host: 'evil.example', 'x-forwarded-host': 'localhost', origin: 'http://evil.example' },
    true,
  ],
  ['a sandboxed page', { host: 'localhost:10479', origin: 'null' }, true],
  [
    'a host that is no name',
    { host: 'localhost', 'x-forwarded-host': 'nu\u00ce\u008a', origin: 'http://nu\u00ce\u008a' },
    true,
  ],
  ['what is no origin', { host: 'localhost:10479', origin: 'localhost:10479' }, true],
  ['a form of elsewhere, by what the browser says', { host: 'localhost', 'sec-fetch-site': 'cross-site' }, true],
  ['a page of the same machine, by what the browser says', { host: 'a.b', 'sec-fetch-site': 'same-site' }, true],
])('%s', (_, headers, foreign) => {
  expect(isForeign(headers, ['noc1.example.net', 'mon.example.net'])).toBe(foreign);
});
