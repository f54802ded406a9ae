/** Writes docs/reload.md from the schema of the configuration: `npm run docs:reload`. A test says when the file is stale. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { settings } from '../src/config/reload/settings.ts';

export const RELOAD_DOC = fileURLToPath(new URL('reload.md', import.meta.url));

/** What follows when a reload changes the key, where something follows that an operator may notice; by key or by section. */
const EFFECTS: Readonly<Record<string, string>> = {
  prefixes: 'Only sessions that get other prefixes connect once more.',
  sources: 'The streams begin again; see above.',
  bgproutes: 'The streams begin again; see above.',
  'bgproutes.api_keys':
    'As many keys as before: only the sessions whose key is another one connect once more. Otherwise the streams begin again.',
  'bgproutes.api_key_files': 'As `bgproutes.api_keys`. The files are read again also when the service refuses a key.',
  ris_live: 'The streams begin again where it is a source.',
  kafka: 'The streams begin again where it is a source.',
  proxy_url: 'Connections from now on. A stream that is open stays.',
  tls: 'Connections from now on. A stream that is open stays.',
  'web.config_file': 'A change between HTTP and HTTPS is refused.',
  'web.page': 'Off forgets the past that the page shows.',
  'table.seed': 'The streams begin again; see above.',
  'table.data_api_lag': 'The streams begin again; see above.',
  'table.expected_window': 'A longer window grows from what is known.',
  rpki: 'Only what differs is read again; until then nothing is judged.',
  otlp: 'A last export as before, then the export begins as configured now. Replaced certificates count as a change.',
};

export function reloadDoc(): string {
  const rows = settings().map(({ name, startOnly }) => {
    const [section] = name.split('.');
    const effect = EFFECTS[name] ?? EFFECTS[section] ?? '';
    return startOnly === undefined
      ? `| \`${name}\` | yes | ${effect} |`
      : `| \`${name}\` | no | Because ${startOnly}. |`;
  });
  return `# What a reload changes

<!-- Written by \`npm run docs:reload\`. -->

SIGHUP, \`systemctl reload\` and \`POST /-/reload\` (with \`web.enable_lifecycle\`) read the configuration again: the file, the files that it
names, and the environment that the process had from its start. What differs takes effect, and the table stays. When one thing of it is
wrong, or is among the few that only a restart can change, the reload is refused, each fault with its name, and nothing of it is applied:
the configuration in force stays, \`bgp_exporter_config_last_reload_successful\` is 0, and the alert *BGPExporterConfigRefused* tells.

## When the streams begin again

Other sources, other addresses of services, more or fewer keys: every session closes and the new ones connect, over the same table. Routes,
counters of prefixes, page and history go on; counters of sessions begin at 0. The prefixes are not trusted until the gap is filled from the
history, as after a restart with a snapshot (about two minutes with the Data API), so that no alert takes the change for an outage.

The routes of vantage points that only a removed source delivers leave numerator and denominator with the loss reason \`source_down\`. A source
that comes is read from its history beside those that stay.

## A key that was rotated

Write the new key where the old one is: into the key file, or the configuration file. A reload takes it. So does the exporter itself when the service
says that it does not know the key (at an attempt to connect, at a renewal or at a question to the Data API): it reads where the keys come
from again, and connects at once when it finds another one. Only the session of that key connects once more. A variable of the environment
(\`BGP_API_KEY\`) cannot change while a process runs: use a file.

## Every key

| key | by reload | what follows |
| --- | --- | --- |
${rows.join('\n')}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(RELOAD_DOC, reloadDoc());
