import { expect, it } from 'vitest';
import { type Config, loadConfig } from '../../src/config/config.ts';
import { changedSettings } from '../../src/config/reload/changed-settings.ts';

const BASE = `prefixes: [{prefix: 192.0.2.0/24}]
bgproutes: {api_keys: [key-number-0]}
`;
const config = (more = '', base = BASE): Config =>
  loadConfig({ flags: { 'config.file': 'test.yml' }, env: {}, readFile: () => `${base}${more}` });

it.each([
  ['nothing', '', []],
  ['a time', 'table: {route_ttl: 1h, data_api_lag: 30s}', ['table.route_ttl', 'table.data_api_lag']],
  ['an address', 'web: {listen_address: "127.0.0.1:9"}', ['web.listen_address']],
  ['a folder', 'storage: {path: /nowhere}', ['storage.path']],
  ['a name of two words', 'ris_live: {client: noc, stale_after: 2m}', ['ris_live.client', 'ris_live.stale_after']],
  ['a list', 'sources: [ris-live, bgproutes]', ['sources']],
  ['a section that comes', 'rpki: {sources: [{url: "http://validator:8323/json"}]}', ['rpki']],
  ['a section that is deeper', 'otlp: {endpoint: "http://collector:4318"}', ['otlp']],
])('%s', (_what, more, changed) => {
  expect(changedSettings(config(), config(more))).toEqual(changed);
});

it('prefixes need no restart', () => {
  expect(changedSettings(config(), config('', BASE.replace('192.0.2.0', '198.51.100.0')))).toEqual([]);
});

it('a key is told by its setting, never by its value', () => {
  expect(changedSettings(config(), config('', BASE.replace('number-0', 'number-1')))).toEqual(['bgproutes.api_keys']);
});
