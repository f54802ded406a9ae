/** Panels of the kinds that the dashboards use, so that each panel says only what is its own. */
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
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
  SpecialValueMatch,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmaps from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import * as stats from '@grafana/grafana-foundation-sdk/stat';
import * as timelines from '@grafana/grafana-foundation-sdk/statetimeline';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import { FILL, INK } from './colours.ts';
import { LOW_BELOW, NOT_VISIBLE_BELOW } from './speaker.ts';
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

/** Expression to legend; with a colour where the line always means the same. */
export type Queries = readonly (readonly [expression: string, legend: string, look?: Look])[];

export interface Look {
  readonly colour: string;
  /** For a line that lies under another: seen beside it where both are equal. */
  readonly wide?: boolean;
}

export const GOOD_IS_ZERO: readonly Threshold[] = [
  { value: null, color: INK.ok },
  { value: 1, color: INK.gone },
];
export const BETTER_ZERO: readonly Threshold[] = [
  { value: null, color: INK.ok },
  { value: 1, color: INK.low },
];
/** Share of the expected VPs, as a number. */
export const VISIBILITY: readonly Threshold[] = [
  { value: null, color: INK.gone },
  { value: NOT_VISIBLE_BELOW, color: INK.low },
  { value: LOW_BELOW, color: INK.plain },
  { value: 0.95, color: INK.ok },
];
/** The same as a bar. */
export const VISIBILITY_BARS: readonly Threshold[] = [
  { value: null, color: FILL.gone },
  { value: NOT_VISIBLE_BELOW, color: FILL.low },
  { value: LOW_BELOW, color: FILL.lower },
  { value: 0.95, color: FILL.ok },
];
/** 0 is well, any number is not, as a bar. */
export const NONE_BARS: readonly Threshold[] = [
  { value: null, color: FILL.ok },
  { value: 1, color: FILL.gone },
];
export const NEUTRAL: readonly Threshold[] = [{ value: null, color: INK.plain }];
const DOUBTFUL: readonly Threshold[] = [{ value: null, color: INK.unknown }];

/** A cell that stands out from a number on. */
export function marked(color: string): readonly Threshold[] {
  return [
    { value: null, color: 'transparent' },
    { value: 1, color },
  ];
}

/** The same for a number without a background: grey until then, as a transparent number cannot be read. */
export function markedNumber(color: string): readonly Threshold[] {
  return [
    { value: null, color: INK.unknown },
    { value: 1, color },
  ];
}

/** What a bar is where no exporter is trusted: no share and no count is negative. */
export const NOT_TRUSTED = -1;

export function thresholds(steps: readonly Threshold[]) {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...steps]);
}

/** What a tile says when there is no exporter to ask. */
const UNKNOWN = 'unknown';

/** 1 and 0 as words, in the colours of bars and cells, or of tiles. */
export function words(one: string, zero: string, colours: { ok: string; gone: string } = FILL): ValueMapping[] {
  return [
    {
      type: MappingType.ValueToText,
      options: {
        1: { text: one, color: colours.ok, index: 0 },
        0: { text: zero, color: colours.gone, index: 1 },
      },
    },
  ];
}

/** The word for bars of which nothing is known. */
export const NOT_TRUSTED_BARS: ValueMapping = {
  type: MappingType.ValueToText,
  options: { [NOT_TRUSTED]: { text: 'not trusted', color: FILL.unknown, index: 0 } },
};

/** The word for a cell whose number is left out since no exporter is trusted with it. */
export const NOT_TRUSTED_CELL: ValueMapping = {
  type: MappingType.SpecialValue,
  options: { match: SpecialValueMatch.NullAndNan, result: { text: 'not trusted', color: INK.unknown, index: 0 } },
};

/** A value or label that reads otherwise than it is written. */
export function reads(value: string, text: string): ValueMapping[] {
  return [{ type: MappingType.ValueToText, options: { [value]: { text, index: 0 } } }];
}

/** A label of which only the link counts. */
export function alwaysReads(text: string): ValueMapping[] {
  return [{ type: MappingType.RegexToText, options: { pattern: '.+', result: { text, index: 0 } } }];
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

export function common<B extends CommonBuilder<B>>(builder: B, panel: Panel): B {
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

export function refId(index: number): string {
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

export function now(expression: string, index: number, legend: string) {
  return new DataqueryBuilder()
    .datasource(DATASOURCE)
    .expr(expression)
    .instant()
    .legendFormat(legend)
    .refId(refId(index));
}

const TRUSTED = 'trusted';
const DOUBTED = 'not trusted';

/**
 * One number, as it is at the end of the time range. Not the last point of a course: that one stays when the exporter is
 * gone, and says that all is well. `doubtful` is the number while no exporter is trusted; `query` then gives none, and below
 * the number stands which of both it is.
 */
export function stat(
  panel: Panel & {
    readonly query: string;
    readonly doubtful?: string;
    readonly steps: readonly Threshold[];
    /** Colours of a number that is not trusted; grey without. */
    readonly doubtfulSteps?: readonly Threshold[];
    readonly mappings?: ValueMapping[];
    readonly noValue?: string;
  },
) {
  const builder = common(new stats.PanelBuilder(), panel)
    .withTarget(now(panel.query, 0, panel.doubtful === undefined ? '' : TRUSTED))
    .thresholds(thresholds(panel.steps))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .justifyMode(BigValueJustifyMode.Center)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .noValue(panel.noValue ?? UNKNOWN);
  if (panel.mappings !== undefined) builder.mappings(panel.mappings);
  if (panel.doubtful !== undefined) {
    builder
      .withTarget(now(panel.doubtful, 1, DOUBTED))
      .textMode(BigValueTextMode.ValueAndName)
      .overrideByName(DOUBTED, [
        { id: 'thresholds', value: { mode: 'absolute', steps: panel.doubtfulSteps ?? DOUBTFUL } },
      ]);
  }
  return builder;
}

/** Beside the lines a legend of a narrow panel would leave no room for them. */
const WIDE = 12;

/** How far an axis reaches at least, so that zeros do not lie on one that runs to 100 or to 10000 %. By unit. */
const REACH: Readonly<Record<string, number>> = { percentunit: 0.01, bytes: 1024 * 1024, Bps: 1024 };

/** Lines over time; `stacked` fills and adds them up. Those below have their legend there, with the numbers in columns of their own. */
export function lines(
  panel: Panel & {
    readonly queries: Queries;
    readonly stacked?: boolean;
    /** Some lines are drawn below 0: their largest value is their minimum. */
    readonly hasNegative?: boolean;
    readonly noValue?: string;
    /** Of lines that are named by a label. */
    readonly looks?: Readonly<Record<string, Look>>;
    /** One line for each thing that can go wrong: those that did not stay out of the legend. */
    readonly onlyWhatHappened?: boolean;
    /** The legend begins with the line that went highest: there are more of them than it shows at once. */
    readonly highestFirst?: boolean;
  },
) {
  const wide = panel.width >= WIDE;
  const legend = new VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(LegendDisplayMode.Table)
    .placement(wide ? LegendPlacement.Right : LegendPlacement.Bottom)
    .calcs(panel.hasNegative === true ? ['lastNotNull', 'min', 'max'] : ['lastNotNull', 'max']);
  const builder = common(new timeseries.PanelBuilder(), panel)
    .lineWidth(1)
    .axisSoftMax(REACH[panel.unit] ?? 1)
    .fillOpacity(panel.stacked === true ? 60 : 5)
    .showPoints(VisibilityMode.Never)
    .legend(panel.highestFirst === true ? legend.sortBy('Max').sortDesc(true) : legend)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (panel.stacked === true) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  if (panel.noValue !== undefined) builder.noValue(panel.noValue);
  if (panel.onlyWhatHappened === true) {
    builder.withOverride({
      matcher: { id: 'byValue', options: { reducer: 'allIsZero', op: 'gte', value: 0 } },
      properties: [{ id: 'custom.hideFrom', value: { legend: true, tooltip: true, viz: false } }],
    });
  }
  const looks = Object.entries(panel.looks ?? {});
  panel.queries.forEach(([expression, name, look], index) => {
    builder.withTarget(overTime(expression, name, index));
    if (look !== undefined) looks.push([name, look]);
  });
  for (const [name, look] of looks) {
    builder.overrideByName(name, [
      { id: 'color', value: { mode: 'fixed', fixedColor: look.colour } },
      ...(look.wide === true ? [{ id: 'custom.lineWidth', value: 4 }] : []),
    ]);
  }
  return builder;
}

/** How many bars a page of a timeline has: more would be lower than their names. */
export const BARS = 12;

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
    .perPage(BARS)
    .fillOpacity(100)
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
