/**
 * The rules of Grafana's dashboard linter (its documentation names and explains each), and the project's own. Each rule
 * says what is wrong, in words; an empty list is a dashboard that holds them all.
 */
import type { Dashboard, Panel, VariableModel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
import { FILL, INK } from '../../dashboards/src/colours.ts';
import { ALERTS } from '../alerts/rules-file.ts';
import { parsePromql, withoutGrafana } from './promql.ts';

export type Rule = (dashboard: Dashboard) => string[];

/** Of Grafana's units, those that fit what the exporter measures. */
const UNITS = ['none', 'short', 'percentunit', 'bytes', 'Bps', 's', 'cps', 'bool_yes_no', 'dateTimeFromNow', 'string'];

const LONGEST_ALERT = Math.max(...ALERTS.map(({ alert }) => alert.length));
/** Of a letter of a table's text in Grafana, on average. */
const LETTER_PX = 8;

const DATASOURCE_UIDS = ['$datasource', '$' + '{datasource}'];

export function panelsOf(dashboard: Dashboard): Panel[] {
  return (dashboard.panels ?? []).flatMap((panel) => ('panels' in panel ? panel.panels : [panel])) as Panel[];
}
export function targetsOf(panel: Panel): Dataquery[] {
  return (panel.targets ?? []) as Dataquery[];
}
function variable(dashboard: Dashboard, name: string): VariableModel | undefined {
  return dashboard.templating.list?.find((v) => v.name === name);
}
function eachPanel(check: (panel: Panel) => string | undefined): Rule {
  return (dashboard) =>
    panelsOf(dashboard)
      .map((panel) => [panel.title, check(panel)] as const)
      .filter(([, wrong]) => wrong !== undefined)
      .map(([title, wrong]) => `panel "${title}": ${wrong}`);
}
function eachTarget(check: (expression: string, target: Dataquery) => string | undefined): Rule {
  return (dashboard) =>
    panelsOf(dashboard).flatMap((panel) =>
      targetsOf(panel)
        .map((target) => check(withoutGrafana(target.expr), target))
        .filter((wrong) => wrong !== undefined)
        .map((wrong) => `panel "${panel.title}": ${wrong}`),
    );
}

function templated(name: 'job' | 'instance', label: string): Rule {
  return (dashboard) => {
    const v = variable(dashboard, name);
    if (v === undefined) return [`no variable ${name}`];
    const wrong: string[] = [];
    if (v.type !== 'query') wrong.push(`variable ${name} is of type ${v.type}, not query`);
    if (!DATASOURCE_UIDS.includes(v.datasource?.uid ?? '')) wrong.push(`variable ${name} does not use $datasource`);
    if (v.label !== label) wrong.push(`variable ${name} is labelled ${v.label}, not ${label}`);
    if (v.multi !== true) wrong.push(`variable ${name} is not multi-select`);
    if (v.allValue !== '.+') wrong.push(`variable ${name}: allValue is ${v.allValue}, not .+`);
    return wrong;
  };
}

function matcher(label: 'job' | 'instance'): Rule {
  return eachTarget((expression) => {
    for (const { metric, matchers } of parsePromql(expression).selectors) {
      const found = matchers.get(label);
      // An alert may be of an exporter that is gone, and has no instance then.
      const values = metric.startsWith('ALERTS') ? [`$${label}|`] : [`$${label}`];
      if (found?.operator !== '=~' || !values.includes(found.value)) return `${metric} lacks ${label}=~"$${label}"`;
    }
    return undefined;
  });
}

export const RULES: Readonly<Record<string, Rule>> = {
  'template-datasource-rule': (dashboard) => {
    const v = dashboard.templating.list?.filter((each) => each.type === 'datasource') ?? [];
    if (v.length !== 1) return [`${v.length} datasource variables`];
    if (v[0]!.name !== 'datasource') return [`the datasource variable is named ${v[0]!.name}`];
    if (v[0]!.label !== 'Data source') return [`the datasource variable is labelled ${v[0]!.label}`];
    return v[0]!.query === 'prometheus' ? [] : ['the datasource variable is not of Prometheus'];
  },
  'template-job-rule': templated('job', 'Job'),
  'template-instance-rule': templated('instance', 'Instance'),
  'template-label-promql-rule': (dashboard) =>
    (dashboard.templating.list ?? [])
      .filter((v) => v.type === 'query')
      .filter((v) => {
        const parts = /^label_values\((.+), [a-z_]+\)$/.exec(String(v.query));
        return parts === null || parsePromql(parts[1]!).errors.length > 0;
      })
      .map((v) => `variable ${v.name}: ${v.query}`),
  'template-on-time-change-reload-rule': (dashboard) =>
    (dashboard.templating.list ?? [])
      .filter((v) => v.type === 'query' && v.refresh !== 2)
      .map((v) => `variable ${v.name} does not follow the time range`),
  'panel-datasource-rule': eachPanel((panel) =>
    DATASOURCE_UIDS.includes(panel.datasource?.uid ?? '') ? undefined : 'does not use $datasource',
  ),
  'panel-title-description-rule': eachPanel((panel) =>
    (panel.title ?? '') === '' || (panel.description ?? '').length < 40
      ? 'lacks a title, or a description of more than a few words'
      : undefined,
  ),
  'panel-units-rule': eachPanel((panel) => {
    const unit = panel.fieldConfig?.defaults.unit ?? '';
    return UNITS.includes(unit) ? undefined : `unit "${unit}"`;
  }),
  'panel-no-targets-rule': eachPanel((panel) => (targetsOf(panel).length === 0 ? 'has no query' : undefined)),
  'target-promql-rule': eachTarget((expression) => {
    const { errors, selectors } = parsePromql(expression);
    if (errors.length > 0) return `not PromQL: ${errors.join(', ')}`;
    return selectors.length === 0 ? 'selects nothing' : undefined;
  }),
  'target-rate-interval-rule': eachTarget((expression) => {
    const wrong = parsePromql(expression).selectors.find(
      (s) => (s.calledBy === 'rate' || s.calledBy === 'irate') && s.range !== withoutGrafana('$__rate_interval'),
    );
    return wrong === undefined ? undefined : `${wrong.calledBy} of ${wrong.metric} over [${wrong.range}]`;
  }),
  'target-job-rule': matcher('job'),
  'target-instance-rule': matcher('instance'),
  'target-counter-agg-rule': eachTarget((expression) => {
    const wrong = parsePromql(expression).selectors.find(
      (s) => s.metric.endsWith('_total') && !['rate', 'irate', 'increase'].includes(s.calledBy ?? ''),
    );
    return wrong === undefined ? undefined : `${wrong.metric} is a counter, and shown as it is`;
  }),
  'uneditable-rule': (dashboard) => (dashboard.editable === false ? [] : ['is editable']),

  // The project's own.
  'links to the others': (dashboard) => {
    const links = dashboard.links ?? [];
    // Not the prefix: "All" is none that a dashboard of one prefix could show.
    const carried = ['datasource', 'job', 'instance', 'group'].filter(
      (name) => variable(dashboard, name) !== undefined,
    );
    const query = carried.map((name) => `\${${name}:queryparam}`).join('&');
    const wrong = links
      // With a placement a link is not above the panels but in a menu.
      .filter(
        (link) =>
          !link.keepTime || link.includeVars || link.placement !== undefined || !link.url?.endsWith(`?${query}`),
      )
      .map((link) => `link "${link.title}" is hidden, or does not carry what was chosen: ${link.url}`);
    const own = links.filter((link) => link.url?.startsWith(`/d/${dashboard.uid}?`));
    return links.length === 2 && own.length === 0 ? wrong : [...wrong, 'lacks a link'];
  },
  'tiles show what is true now': eachPanel((panel) => {
    if (panel.type !== 'stat') return undefined;
    if (targetsOf(panel).some((target) => target.instant !== true || target.range === true)) {
      return 'shows the last point of a course, also when nobody knows any more';
    }
    return panel.fieldConfig?.defaults.noValue === undefined ? 'says nothing when nobody knows' : undefined;
  }),
  'columns of tables exist': eachPanel((panel) => {
    if (panel.type !== 'table') return undefined;
    const organize = panel.transformations?.find(({ id }) => id === 'organize')?.options as
      | { renameByName: Record<string, string> }
      | undefined;
    const columns = Object.values(organize?.renameByName ?? {});
    const { sortBy = [] } = panel.options as { sortBy?: { displayName: string }[] };
    const named = [
      ...(panel.fieldConfig?.overrides ?? []).map(({ matcher }) => String(matcher.options)),
      ...sortBy.map(({ displayName }) => displayName),
    ];
    if (new Set(columns).size < columns.length) return 'has two columns of one name';
    const missing = named.filter((name) => !columns.includes(name));
    return missing.length === 0 ? undefined : `has no column ${missing.join(', ')}`;
  }),
  'legends leave room for the lines': eachPanel((panel) => {
    const { legend } = (panel.options ?? {}) as { legend?: { placement: string; showLegend: boolean } };
    return panel.type === 'timeseries' && legend?.placement === 'right' && panel.gridPos!.w < 12
      ? 'is narrow, and has its legend beside the lines'
      : undefined;
  }),
  'a short legend begins with what is most': eachPanel((panel) => {
    const { legend } = (panel.options ?? {}) as { legend?: { placement: string; sortBy?: string; sortDesc?: boolean } };
    const { stacking } = (panel.fieldConfig?.defaults.custom ?? {}) as { stacking?: { mode: string } };
    return stacking?.mode === 'normal' && legend?.placement === 'bottom' && legend.sortDesc !== true
      ? 'hides its largest parts below its legend'
      : undefined;
  }),
  'names of alerts are read whole': eachPanel((panel) => {
    const column = panel.fieldConfig?.overrides.find(({ matcher }) => matcher.options === 'Alert');
    const width = column?.properties.find(({ id }) => id === 'custom.width')?.value as number | undefined;
    return width !== undefined && width < LONGEST_ALERT * LETTER_PX + 16
      ? 'cuts the longest name of an alert'
      : undefined;
  }),
  'panels lie on the grid': (dashboard) => {
    const taken = new Set<string>();
    const wrong: string[] = [];
    for (const panel of dashboard.panels ?? []) {
      const { x, y, w, h } = panel.gridPos!;
      if (x + w > 24) wrong.push(`panel "${panel.title}" is wider than the page`);
      for (let column = x; column < x + w; column++) {
        for (let row = y; row < y + h; row++) {
          if (taken.has(`${column} ${row}`)) wrong.push(`panel "${panel.title}" lies on another`);
          taken.add(`${column} ${row}`);
        }
      }
    }
    return [...new Set(wrong)];
  },
  'exporters may differ in any label': eachTarget((expression) => {
    const wrong = /\b(?:on|group_left|group_right) ?\([^)]*\b(?:job|instance)\b[^)]*\)/.exec(expression);
    return wrong === null ? undefined : `takes exporters of one job and instance for one: ${wrong[0]}`;
  }),
  'names of lines have the job': eachTarget((_, { legendFormat = '' }) =>
    legendFormat.includes('{{instance}}') && !legendFormat.includes('{{job}}') ? 'two jobs look alike' : undefined,
  ),
  'labels in tables are text': eachPanel((panel) => {
    const organize = panel.transformations?.find(({ id }) => id === 'organize')?.options as
      | { renameByName: Record<string, string> }
      | undefined;
    const wrong = Object.entries(organize?.renameByName ?? {})
      .filter(([field]) => !field.startsWith('Value'))
      .map(([, name]) => name)
      .filter((name) => {
        const override = panel.fieldConfig?.overrides.find(({ matcher }) => matcher.options === name);
        return override?.properties.find(({ id }) => id === 'unit')?.value !== 'string';
      });
    return wrong.length === 0 ? undefined : `reads as numbers what is text: ${wrong.join(', ')}`;
  }),
  'zeros lie on a short axis': eachPanel((panel) => {
    if (panel.type !== 'timeseries') return undefined;
    const { axisSoftMax } = (panel.fieldConfig?.defaults.custom ?? {}) as { axisSoftMax?: number };
    return axisSoftMax === undefined ? 'has an axis up to 100 while nothing happens' : undefined;
  }),
  'bars and cells have colours that everybody can tell apart': eachPanel((panel) => {
    if (panel.type !== 'state-timeline' && panel.type !== 'table') return undefined;
    const { defaults, overrides } = panel.fieldConfig!;
    const text = JSON.stringify(panel.type === 'table' ? overrides : [defaults.thresholds, defaults.mappings]);
    const allowed = [...Object.values(FILL), ...Object.values(INK), 'transparent'] as string[];
    const wrong = [...text.matchAll(/"color":"([^"]+)"/g)].map(([, colour]) => colour!);
    const others = wrong.filter((colour) => !allowed.includes(colour));
    return others.length === 0 ? undefined : `has colours of its own: ${others.join(', ')}`;
  }),
  'titles are different': (dashboard) => {
    const titles = panelsOf(dashboard).map((panel) => panel.title);
    return titles.filter((title, index) => titles.indexOf(title) !== index).map((title) => `two panels "${title}"`);
  },
  'annotations are PromQL': (dashboard) => {
    const annotations = dashboard.annotations.list ?? [];
    if (annotations.length === 0) return ['has no annotations'];
    return annotations
      .filter((a) => !DATASOURCE_UIDS.includes(a.datasource?.uid ?? '') || parsePromql(a.expr ?? '(').errors.length > 0)
      .map((a) => `annotation "${a.name}": ${a.expr}`);
  },
};
