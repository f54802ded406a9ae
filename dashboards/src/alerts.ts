/** The list of firing alerts, with the way to the runbook. */
import { readFileSync } from 'node:fs';
import { exporterMetrics } from '../../src/metrics/catalogue.ts';
import { alwaysReads } from './panels.ts';
import { select, selectNamed } from './selectors.ts';
import { list } from './tables.ts';

const RULES = readFileSync(new URL('../../alerts/bgproutes.rules.yml', import.meta.url), 'utf8');

/** Names of the shipped alerts. */
const ALERTS = [...new Set([...RULES.matchAll(/^ *- alert: (\w+)$/gm)].map(([, name]) => name!))].sort();
/** The exporter that the alert is of serves it, as in the rules. Fields are named as they are shown. */
const RUNBOOK = `http://\${__data.fields.Instance}/runbook#\${__value.raw}`;

/**
 * Alerts of an exporter that is gone have no instance, those of a stream no prefix and no group: each may be missing.
 * Grafana puts more than one choice in parentheses.
 */
const CHOSEN = 'alertname=~"BGP.+", job=~"$job|", instance=~"$instance|", group=~"$group|", prefix=~"$prefix|"';

/** When each became active, by Prometheus' own series of alerts. */
const since = `ALERTS_FOR_STATE{${CHOSEN}} and ignoring (alertstate) ALERTS{${CHOSEN}, alertstate="firing"}`;

/** Sections of the runbook are named in small letters; PromQL has no other way to make them. */
const withSection = ALERTS.reduce(
  (query, name) => `label_replace(${query}, "section", "${name.toLowerCase()}", "alertname", "${name}")`,
  since,
);

/** One row while there are exporters, but no rule has written anything of them. */
const NOT_LOADED = `label_replace(time() * absent(${selectNamed('bgp:exporter_trusted:bool')}) and on () ${select(exporterMetrics.exporterBuildInfo)}, "alertname", "the rules are not loaded", "", "")`;

export function firingAlerts(size: { readonly width: number; readonly height: number }) {
  return list({
    title: 'Firing alerts',
    description:
      'Alerts of the bundled rules that fire now, critical ones first, and the newest of them on top; "what to do" leads to its section of the runbook. Labels of your own targets, such as a site, are columns at the end. Empty is good, as long as Prometheus evaluates the rules.',
    // Labels of the user's own are text too.
    unit: 'string',
    ...size,
    noValue: 'No alert is firing',
    value: { name: 'Since', query: `1000 * (${withSection} or ${NOT_LOADED})`, unit: 'dateTimeFromNow', width: 125 },
    columns: [
      { label: 'severity', name: 'Severity', width: 68 },
      { label: 'alertname', name: 'Alert', width: 275 },
      { label: 'prefix', name: 'Prefix', width: 140 },
      {
        label: 'section',
        name: 'Runbook',
        width: 90,
        link: RUNBOOK,
        mappings: alwaysReads('what to do'),
      },
      'value',
      { label: 'instance', name: 'Instance' },
      { label: 'more_specific', name: 'More-specific' },
      { label: 'region', name: 'Region' },
    ],
    hidden: ['job', 'afi', 'group', 'description', 'source', 'session', 'why'],
    sortBy: [
      { column: 'Severity', descending: false },
      { column: 'Since', descending: true },
    ],
  });
}
