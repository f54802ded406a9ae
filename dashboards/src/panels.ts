/** Panels of the kinds that the dashboards use, so that each panel says only what is its own. */
import {
  BigValueColorMode,
  BigValueGraphMode,
  HeatmapCellLayout,
  HideSeriesConfigBuilder,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmaps from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import * as stats from '@grafana/grafana-foundation-sdk/stat';
import * as timelines from '@grafana/grafana-foundation-sdk/statetimeline';
import * as tables from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import { DATASOURCE } from './variables.ts';

/** What every panel has. The description says how to read it, and what to do. Width in 24ths of the page. */
export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  readonly width: number;
  readonly height: number;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
}

/** Expression to legend. */
export type Queries = readonly (readonly [expression: string, legend: string])[];

export const GOOD_IS_ZERO: readonly Threshold[] = [
  { value: null, color: 'green' },
  { value: 1, color: 'red' },
];
export const VISIBILITY: readonly Threshold[] = [
  { value: null, color: 'dark-red' },
  { value: 0.05, color: 'orange' },
  { value: 0.8, color: 'yellow' },
  { value: 0.95, color: 'green' },
];
export const NEUTRAL: readonly Threshold[] = [{ value: null, color: 'blue' }];

export function thresholds(steps: readonly Threshold[]) {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...steps]);
}

/** What a tile says when there is no exporter to ask. */
const UNKNOWN = 'unknown';

/** 1 and 0 as words. */
export function words(one: string, zero: string): ValueMapping[] {
  return [
    {
      type: MappingType.ValueToText,
      options: {
        1: { text: one, color: 'green', index: 0 },
        0: { text: zero, color: 'red', index: 1 },
      },
    },
  ];
}

/** Words for whole numbers from a bound on, lowest first. */
export function wordsFrom(steps: readonly (readonly [from: number, text: string, color: string])[]): ValueMapping[] {
  return steps.map(([from, text, color], index) => ({
    type: MappingType.RangeToText,
    options: { from, to: (steps[index + 1]?.[0] ?? Number.MAX_SAFE_INTEGER) - 1, result: { text, color, index } },
  }));
}

interface CommonBuilder<B> {
  title(title: string): B;
  description(description: string): B;
  datasource(datasource: typeof DATASOURCE): B;
  unit(unit: string): B;
  span(width: number): B;
  height(height: number): B;
  decimals(decimals: number): B;
  min(min: number): B;
  max(max: number): B;
  withTarget(target: DataqueryBuilder): B;
}

function common<B extends CommonBuilder<B>>(builder: B, panel: Panel): B {
  builder
    .title(panel.title)
    .description(panel.description)
    .datasource(DATASOURCE)
    .unit(panel.unit)
    .span(panel.width)
    .height(panel.height);
  if (panel.decimals !== undefined) builder.decimals(panel.decimals);
  if (panel.min !== undefined) builder.min(panel.min);
  if (panel.max !== undefined) builder.max(panel.max);
  return builder;
}

function refId(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}

function overTime(expression: string, legend: string, index: number) {
  return new DataqueryBuilder()
    .datasource(DATASOURCE)
    .expr(expression)
    .range()
    .legendFormat(legend)
    .refId(refId(index));
}

function now(expression: string, index: number, legend: string) {
  return new DataqueryBuilder()
    .datasource(DATASOURCE)
    .expr(expression)
    .instant()
    .legendFormat(legend)
    .refId(refId(index));
}

/**
 * One number, as it is at the end of the time range. Not the last point of a course: that one stays when the exporter is
 * gone, and says that all is well.
 */
export function stat(
  panel: Panel & {
    readonly query: string;
    readonly steps: readonly Threshold[];
    readonly mappings?: ValueMapping[];
    readonly noValue?: string;
  },
) {
  const builder = common(new stats.PanelBuilder(), panel)
    .withTarget(now(panel.query, 0, ''))
    .thresholds(thresholds(panel.steps))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .noValue(panel.noValue ?? UNKNOWN);
  if (panel.mappings !== undefined) builder.mappings(panel.mappings);
  return builder;
}

/** Beside the lines a legend of a narrow panel would leave no room for them. */
const WIDE = 12;

/** Lines over time; `stacked` fills and adds them up. */
export function lines(
  panel: Panel & {
    readonly queries: Queries;
    readonly stacked?: boolean;
    readonly noValue?: string;
    /** One line for each thing that can go wrong: those that did not stay out of the legend. */
    readonly onlyWhatHappened?: boolean;
  },
) {
  const wide = panel.width >= WIDE;
  const builder = common(new timeseries.PanelBuilder(), panel)
    .lineWidth(1)
    .fillOpacity(panel.stacked === true ? 60 : 5)
    .showPoints(VisibilityMode.Never)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(wide ? LegendDisplayMode.Table : LegendDisplayMode.List)
        .placement(wide ? LegendPlacement.Right : LegendPlacement.Bottom)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (panel.stacked === true) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  if (panel.noValue !== undefined) builder.noValue(panel.noValue);
  if (panel.onlyWhatHappened === true) {
    builder.withOverride({
      matcher: { id: 'byValue', options: { reducer: 'allIsZero', op: 'gte', value: 0 } },
      properties: [{ id: 'custom.hideFrom', value: { legend: true, tooltip: true, viz: false } }],
    });
  }
  panel.queries.forEach(([expression, legend], index) => {
    builder.withTarget(overTime(expression, legend, index));
  });
  return builder;
}

/** One bar a series, coloured by its state. */
export function timeline(
  panel: Panel & {
    readonly queries: Queries;
    readonly steps: readonly Threshold[];
    readonly mappings?: ValueMapping[];
  },
) {
  const builder = common(new timelines.PanelBuilder(), panel)
    .thresholds(thresholds(panel.steps))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .showValue(VisibilityMode.Auto)
    .mergeValues(true)
    .rowHeight(0.85)
    // More would be lower than their names.
    .perPage(12)
    .fillOpacity(80)
    .lineWidth(0);
  if (panel.mappings !== undefined) builder.mappings(panel.mappings);
  panel.queries.forEach(([expression, legend], index) => {
    builder.withTarget(overTime(expression, legend, index));
  });
  return builder;
}

/** Rows by legend, darker where the number is larger. `buckets`: the query gives the cumulative buckets of a histogram. */
export function heatmap(panel: Panel & { readonly query: string; readonly legend: string; readonly buckets: boolean }) {
  const target = overTime(panel.query, panel.legend, 0).format(
    panel.buckets ? PromQueryFormat.Heatmap : PromQueryFormat.TimeSeries,
  );
  return common(new heatmaps.PanelBuilder(), panel)
    .withTarget(target)
    .calculate(false)
    .cellGap(1)
    .color(
      new heatmaps.HeatmapColorOptionsBuilder()
        .mode(heatmaps.HeatmapColorMode.Scheme)
        .scheme('Blues')
        .fill('dark-blue')
        .exponent(0.5)
        .steps(64)
        .reverse(false),
    )
    .filterValues(new heatmaps.FilterValueRangeBuilder().le(1e-9))
    .yAxis(new heatmaps.YAxisConfigBuilder().unit(panel.buckets ? panel.unit : 'none'))
    .rowsFrame(new heatmaps.RowsHeatmapOptionsBuilder().layout(HeatmapCellLayout.Auto))
    .tooltip(new heatmaps.HeatmapTooltipBuilder().mode(TooltipDisplayMode.Single).yHistogram(true).showColorScale(true))
    .hideFrom(new HideSeriesConfigBuilder().tooltip(false).legend(false).viz(false))
    .showLegend();
}

export interface Column {
  readonly name: string;
  readonly query: string;
  readonly unit?: string;
  readonly decimals?: number;
  /** In pixels; without it the column takes what the others leave. */
  readonly width?: number;
  /** Brings labels and rows; its value is not shown. */
  readonly labelsOnly?: boolean;
  /** Cell colour by value. */
  readonly steps?: readonly Threshold[];
  /** A bar from 0 to 1. */
  readonly gauge?: boolean;
  /** Words for values; their colours are the cell's. */
  readonly mappings?: ValueMapping[];
}

/** A column that is a label of a query of the table, such as `group`. */
export interface LabelColumn {
  readonly label: string;
  readonly name: string;
  readonly width?: number;
}

/**
 * One row for each value of `key`, joined from one query a column. `link` is the address that the key's cell leads to.
 */
export function table(
  panel: Panel & {
    readonly key: LabelColumn & { readonly link?: string };
    readonly columns: readonly (Column | LabelColumn)[];
    /** The first goes first. */
    readonly sortBy?: readonly { readonly column: string; readonly descending: boolean }[];
  },
) {
  const builder = common(new tables.PanelBuilder(), panel).filterable(true);
  const shown: (readonly [field: string, name: string])[] = [[panel.key.label, panel.key.name]];
  let queries = 0;
  for (const column of panel.columns) {
    if ('label' in column) {
      shown.push([column.label, column.name]);
      continue;
    }
    // Each query brings a column "Value #A", "Value #B", …, and its own "Time N".
    const id = refId(queries);
    builder.withTarget(now(column.query, queries++, '').format(PromQueryFormat.Table));
    if (column.labelsOnly !== true) shown.push([`Value #${id}`, column.name]);
  }
  const fields = shown.map(([field]) => field);
  builder.withTransformation({ id: 'joinByField', options: { byField: panel.key.label, mode: 'outer' } });
  builder.withTransformation({ id: 'filterFieldsByName', options: { include: { names: fields } } });
  builder.withTransformation({
    id: 'organize',
    options: {
      excludeByName: {},
      indexByName: Object.fromEntries(fields.map((field, index) => [field, index])),
      renameByName: Object.fromEntries(shown),
    },
  });
  const header = (width: number | undefined) => [
    { id: 'custom.wrapHeaderText', value: true },
    ...(width === undefined ? [] : [{ id: 'custom.width', value: width }]),
  ];
  for (const column of panel.columns) {
    if ('label' in column) {
      builder.overrideByName(column.name, header(column.width));
      continue;
    }
    if (column.labelsOnly === true) continue;
    const properties: { id: string; value: unknown }[] = [
      { id: 'unit', value: column.unit ?? panel.unit },
      ...header(column.width),
    ];
    if (column.decimals !== undefined) properties.push({ id: 'decimals', value: column.decimals });
    if (column.mappings !== undefined) properties.push({ id: 'mappings', value: column.mappings });
    if (column.steps !== undefined) {
      properties.push({ id: 'thresholds', value: { mode: 'absolute', steps: column.steps } });
      properties.push({ id: 'color', value: { mode: 'thresholds' } });
    }
    if (column.steps !== undefined || column.mappings !== undefined) {
      properties.push({
        id: 'custom.cellOptions',
        value: column.gauge === true ? { type: 'gauge', mode: 'basic' } : { type: 'color-background', mode: 'basic' },
      });
    }
    if (column.gauge === true) properties.push({ id: 'min', value: 0 }, { id: 'max', value: 1 });
    builder.overrideByName(column.name, properties);
  }
  const { name, width, link } = panel.key;
  const links = link === undefined ? [] : [{ id: 'links', value: [{ title: `${name} in depth`, url: link }] }];
  builder.overrideByName(name, [...header(width), ...links]);
  if (panel.sortBy !== undefined) {
    builder.sortBy(
      panel.sortBy.map(({ column, descending }) => ({ build: () => ({ displayName: column, desc: descending }) })),
    );
  }
  return builder;
}
