/** Variables, links and annotations that the three dashboards share. */
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { exporterMetrics, prefixMetrics, streamMetrics } from '../../src/metrics/catalogue.ts';
import { runtimeMetrics } from '../../src/metrics/runtime-metrics.ts';
import { INK } from './colours.ts';
import { select } from './selectors.ts';
import { NOT_VISIBLE_BELOW, Prefixes } from './speaker.ts';

export const DATASOURCE: DataSourceRef = { type: 'prometheus', uid: '$datasource' };

export const DASHBOARDS = {
  overview: { uid: 'bgproutes-overview', title: 'BGP prefixes: overview' },
  prefix: { uid: 'bgproutes-prefix', title: 'BGP prefix in depth' },
  exporter: { uid: 'bgproutes-exporter', title: 'BGP exporter' },
} as const;

/** Names of lines and bars. What tells most of them apart goes first: long names are cut at their end. */
export const EXPORTER = '{{instance}} ({{job}})';
export const SESSION = '{{instance}} {{source}}/{{session}} ({{job}})';

type Scope = 'prefixes' | 'one prefix' | 'exporter';

function datasource() {
  return new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus');
}

function labelValues(name: string, label: string, query: string, allValue?: string) {
  const variable = new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(query)
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc);
  if (allValue === undefined) return variable.multi(false).includeAll(false);
  return variable
    .multi(true)
    .includeAll(true)
    .allValue(allValue)
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}

function variables(scope: Scope) {
  const build = exporterMetrics.exporterBuildInfo.name;
  const info = prefixMetrics.prefixInfo.name;
  const shared = [
    datasource(),
    labelValues('job', 'Job', `label_values(${build}, job)`, '.+'),
    labelValues('instance', 'Instance', `label_values(${build}{job=~"$job"}, instance)`, '.+'),
  ];
  if (scope === 'exporter') return shared;
  const chosen = 'job=~"$job", instance=~"$instance"';
  const prefixes = `label_values(${info}{${chosen}, group=~"$group"}, prefix)`;
  return [
    ...shared,
    // A prefix without a group has no such label, hence not ".+".
    labelValues('group', 'Group', `label_values(${info}{${chosen}}, group)`, '.*'),
    labelValues('prefix', 'Prefix', prefixes, scope === 'prefixes' ? '.+' : undefined),
  ];
}

function annotation(name: string, color: string, expression: string, title: string, text: string) {
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor(color)
    .expr(expression)
    .step('60s')
    .titleFormat(title)
    .textFormat(text);
}

function annotations(scope: Scope) {
  const streamDown = annotation(
    'Stream down',
    INK.unknown,
    `${select(streamMetrics.streamUp)} == 0`,
    'Stream {{source}}/{{session}} of {{instance}} is down',
    'What happened to prefixes meanwhile was not seen as it happened.',
  );
  if (scope === 'exporter') {
    return [
      streamDown,
      annotation(
        'Restarts',
        INK.ok,
        `changes(${select(runtimeMetrics.processStartTime)}[2m]) > 0`,
        '{{instance}} restarted',
        'The process is a new one.',
      ),
    ];
  }
  const prefixes = new Prefixes(
    scope === 'one prefix'
      ? { matcher: 'prefix="$prefix"' }
      : { matcher: 'prefix=~"$prefix"', group: 'group=~"$group"' },
  );
  const outages = annotation(
    'Outages',
    INK.gone,
    `${prefixes.known(prefixes.ratio)} < ${NOT_VISIBLE_BELOW}`,
    '{{prefix}} is not visible',
    'Less than 5 % of the expected vantage points hold a route.',
  );
  // Of many prefixes the changes of origin would cover every panel; the table of changes has them.
  if (scope === 'prefixes') return [outages, streamDown];
  return [
    annotation(
      'Origin changes',
      INK.low,
      `${prefixes.said(`increase(${prefixes.select(prefixMetrics.prefixOriginChanges)}[2m])`)} > 0`,
      'Origin of {{prefix}} changes',
      'Vantage points replace the origin AS of their route.',
    ),
    outages,
    annotation(
      'Not trusted',
      INK.unknown,
      `${prefixes.trustedBy} == 0`,
      'No exporter is trusted with {{prefix}}',
      'What is shown is the last that was heard.',
    ),
  ];
}

/**
 * Carries what was chosen, but not the prefix: "All" of the overview is none that the Prefix dashboard could show, and from
 * one prefix one goes back to all. Rows of the overview lead to their prefix.
 */
function linkTo(other: { readonly uid: string; readonly title: string }, from: Scope) {
  const carried = from === 'exporter' ? ['datasource', 'job', 'instance'] : ['datasource', 'job', 'instance', 'group'];
  const query = carried.map((name) => `\${${name}:queryparam}`).join('&');
  const link = new DashboardLinkBuilder(other.title)
    .type(DashboardLinkType.Link)
    .url(`/d/${other.uid}?${query}`)
    .icon('dashboard')
    .keepTime(true)
    .build();
  // The SDK's default hides it in a menu.
  delete link.placement;
  return { build: () => link };
}

/** An empty dashboard with what all three have. */
export function dashboard(of: (typeof DASHBOARDS)[keyof typeof DASHBOARDS], scope: Scope, description: string) {
  const builder = new DashboardBuilder(of.title)
    .uid(of.uid)
    .description(description)
    .tags(['bgp', 'bgproutes'])
    .readonly()
    .time({ from: 'now-6h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair);
  for (const variable of variables(scope)) builder.withVariable(variable);
  for (const query of annotations(scope)) builder.annotation(query);
  for (const other of Object.values(DASHBOARDS)) {
    if (other.uid !== of.uid) builder.link(linkTo(other, scope));
  }
  return builder;
}
