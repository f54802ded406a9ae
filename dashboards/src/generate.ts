/** Writes dashboards/generated/NAME.json, classic dashboards as Grafana imports and provisions them. `tsx dashboards/src/generate.ts` */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { exporter } from './exporter.ts';
import { overview } from './overview.ts';
import { prefix } from './prefix.ts';

export const GENERATED_FOLDER = fileURLToPath(new URL('../generated/', import.meta.url));

/** Panels are numbered in reading order, so that links to one stay right. */
function numbered(dashboard: Dashboard): Dashboard {
  (dashboard.panels ?? []).forEach((panel, index) => {
    panel.id = index + 1;
  });
  return dashboard;
}

/** File name to dashboard. */
export function dashboards(): ReadonlyMap<string, Dashboard> {
  return new Map([
    ['overview.json', numbered(overview().build())],
    ['prefix.json', numbered(prefix().build())],
    ['exporter.json', numbered(exporter().build())],
  ]);
}

export function text(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(GENERATED_FOLDER, { recursive: true });
  for (const [name, dashboard] of dashboards()) writeFileSync(GENERATED_FOLDER + name, text(dashboard));
}
