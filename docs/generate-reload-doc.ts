/** Writes docs/reload.md from the schema of the configuration: `npm run docs:reload`. A test says when the file is stale. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { settings } from '../src/config/reload/settings.ts';

export const RELOAD_DOC = fileURLToPath(new URL('reload.md', import.meta.url));

/** What follows when a reload changes the key, where something follows that an operator may notice; by key or by section. */
const EFFECTS: Readonly<Record<string, string>> = {
  prefixes: 'Only sessions whose prefixes change connect again.',
  sources: 'The streams begin again, see above.',
  bgproutes: 'The streams begin again, see above.',
  'bgproutes.api_keys':
    'If the number of keys stays the same, only the sessions whose key has changed connect again. Otherwise the streams begin again, see above.',
  'bgproutes.api_key_files': 'As `bgproutes.api_keys`. The files are also read again when the service refuses a key.',
  ris_live: 'If it is one of the sources, the streams begin again, see above.',
  kafka: 'If it is one of the sources, the streams begin again, see above.',
  proxy_url: 'It holds for new connections. An open stream stays.',
  tls: 'It holds for new connections. An open stream stays.',
  'web.config_file': 'A change between HTTP and HTTPS is refused, because it needs a restart.',
  'web.page': '`off` deletes the past that the page shows.',
  'table.seed': 'The streams begin again, see above.',
  'table.data_api_lag': 'The streams begin again, see above.',
  'table.expected_window': 'A longer window is filled as time passes.',
  rpki: 'Only changed sources are read again. Until then there are no verdicts.',
  otlp: 'A last export goes out with the old settings, then exports begin with the new ones. Replaced certificates count as a change.',
};

export function reloadDoc(): string {
  const rows = settings().map(({ name, startOnly }) => {
    const [section] = name.split('.');
    const effect = EFFECTS[name] ?? EFFECTS[section] ?? '';
    return startOnly === undefined
      ? `| \`${name}\` | yes | ${effect} |`
      : `| \`${name}\` | no | A restart is needed, because ${startOnly}. |`;
  });
  return `# What a reload changes

<!-- Written by \`npm run docs:reload\`. -->

SIGHUP, \`systemctl reload\` and \`POST /-/reload\` (with \`web.enable_lifecycle\`) read the configuration again: the file, the files that it names, and the
environment that the process has had since its start. All differences take effect, and the table stays.

If anything in it is wrong, or differs in a setting that only a restart can change, the whole reload is refused and nothing changes. The log names each
fault, \`bgp_exporter_config_last_reload_successful\` is 0, and the alert *BGPExporterConfigRefused* fires.

## When the streams begin again

After a change of the sources, of addresses of services, or of the number of keys, every session closes and the new ones connect, over the same table. Routes,
counters of prefixes, and the page with its past go on. Counters of sessions begin at 0. The prefixes are not trusted until the gap is filled from the
history, which takes about two minutes with the Data API. So no alert takes the change for an outage.

Routes of vantage points that only a removed source delivered leave numerator and denominator, with the loss reason \`source_down\`. A new source is read
from its history, while the other sources go on.

## A key that was rotated

Write the new key in the place of the old one: into the key file, or the configuration file. A reload reads it.

The exporter also reads it by itself, when the service says that it does not know the old key: at an attempt to connect, at a renewal, or at a question to the
Data API. If it finds another key, it connects at once. Only the session of that key connects again. A variable of the environment (\`BGP_API_KEY\`)
cannot change while a process runs, so use a file.

## Every key

| key | by reload | what follows |
| --- | --- | --- |
${rows.join('\n')}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(RELOAD_DOC, reloadDoc());
