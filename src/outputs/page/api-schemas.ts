/**
 * What the JSON API answers, as schemas: types of the program, text of the OpenAPI document and checks of the tests are all made
 * of them. Loaded only for the document; the program itself needs their types alone.
 */
import { z } from 'zod';
import { REGIONS } from '../../bgp/regions.ts';
import { MARK_KINDS } from '../../history/marks.ts';
import { HISTORY_WINDOWS } from '../../history/prefix-history.ts';
import { PREFIX_STATES } from '../../history/prefix-standing.ts';
import { VALIDITIES } from '../../rpki/origin-validation.ts';
import { LOSS_REASONS } from '../../table/prefixes/prefix-state.ts';

const time = z.iso.datetime().describe('A time in UTC, RFC 3339.');
const count = z.int().min(0);
const prefixText = z.string().describe('Canonical text of a prefix, such as 192.0.2.0/24.');
const asText = z.string().describe('An AS in plain decimal, an AS_SET such as {64501,64502}, or `other`: all others.');
const series = z.array(z.number().nullable()).describe('One value a step; null where nothing was sampled.');

const name = z.string().nullable().describe('Of the AS, by the file that names.as_file says; null where it has none.');

const asCount = z.object({
  as: asText,
  name,
  vps: count.describe('Vantage points that see it.'),
  expected: z.boolean().describe('False: ASes are configured and it is none of them.'),
});

const originCount = asCount.extend({
  validity: z.enum(VALIDITIES).nullable().describe('By validated data (RFC 6811); null where there is none.'),
});

/** Names of the numbers are those of the metrics, without `bgp_prefix_`. */
export const prefixSummary = z
  .object({
    prefix: prefixText,
    description: z.string(),
    group: z.string(),
    state: z.enum(PREFIX_STATES).describe('The worst of what is wrong with it, `ok` where nothing is.'),
    trusted: z.boolean().describe('Whether the counts are complete and current.'),
    visible_vps: count,
    expected_vps: count,
    visibility_ratio: z.number().nullable().describe('null: no vantage point is expected.'),
    unexpected_origin_vps: count.nullable().describe('null: no origins are configured.'),
    unexpected_upstream_vps: count.nullable().describe('null: no upstreams are configured.'),
    origins: z.array(originCount).describe('Those that most vantage points see first, 8 at most.'),
    origin_count: count,
    upstreams: z.array(asCount).describe('8 at most.'),
    upstream_count: count,
    more_specifics: z.array(z.object({ prefix: prefixText, vps: count })).describe('Those seen now, 8 at most.'),
    more_specific_count: count,
    as_path_length_mean: z.number().nullable(),
    events_per_minute: z
      .number()
      .nullable()
      .describe('Announcements and withdrawals, over the last minute; null where no history is kept.'),
    sources: z.array(z.object({ source: z.string(), vps: count })),
    spark: z
      .array(z.int().nullable())
      .describe('The lowest visibility of each step until now, in percent, rounded down; null: nothing was sampled.'),
    spark_step_seconds: z
      .int()
      .nullable()
      .describe(
        'How long a step of `spark` is: 10 in the first minutes, then 60, then 300. null where no history is kept.',
      ),
  })
  .describe('A monitored prefix now.');

export const status = z
  .object({
    now: time,
    started_at: time,
    version: z.string(),
    ready: z.boolean(),
    not_ready_reason: z.string().nullable(),
    table: z.enum(['seeded', 'unseeded', 'off']).describe('`off`: seeding is not configured.'),
    restored_from: time
      .nullable()
      .describe('When the snapshot was written that the table began with; null: it began empty.'),
    routes: count,
    prefixes: count,
    trusted_prefixes: count,
    notes: z.array(z.string()),
    streams: z.array(
      z.object({
        source: z.string(),
        session: z.string(),
        up: z.boolean(),
        down_since: time.nullable(),
        reason: z.string().nullable(),
        subscribed_prefixes: count,
        last_update_at: time.nullable(),
      }),
    ),
    validators: z.array(
      z.object({ source: z.string(), up: z.boolean(), usable: z.boolean(), data_at: time.nullable() }),
    ),
  })
  .describe('The exporter now.');

export const prefixesEvent = z
  .object({
    now: time.describe('When this was made.'),
    all: z.boolean().describe('True: there are no other prefixes.'),
    count: count.describe('How many prefixes are monitored.'),
    prefixes: z.array(prefixSummary).describe('Those that changed since the last event.'),
  })
  .describe('Data of an event `prefixes`.');

export const prefixList = z.object({ status, prefixes: z.array(prefixSummary) });

const vpText = z.object({ asn: count, name, ip: z.string(), protocol: z.enum(['bgp', 'bmp']) });

export const mark = z
  .object({ at: time, kind: z.enum(MARK_KINDS), vps: count })
  .describe('Something that happened to a prefix.');

export const change = z
  .object({
    at: time,
    vp: vpText,
    before: z.string().nullable().describe('AS path, cut after 256 characters; null: it held no route.'),
    after: z.string().nullable().describe('AS path; null: it holds no route any more.'),
  })
  .describe('One change of the route of one vantage point.');

export const changeList = z.object({
  prefix: prefixText,
  missed: count.describe('Changes since the start that came faster than they could be noted.'),
  changes: z.array(change).describe('Newest first.'),
  marks: z.array(mark).describe('Newest first.'),
});

const shareSeries = z.array(z.object({ as: asText, vps: series }));

export const past = z
  .object({
    window: z.enum(HISTORY_WINDOWS),
    counts: z.object({
      from: time,
      step_seconds: count,
      visible_vps: series.describe('The fewest within each step.'),
      expected_vps: series,
      events: series.describe('Announcements and withdrawals within each step.'),
    }),
    shares: z.object({
      from: time,
      step_seconds: count,
      as_path_length_mean: series,
      origins: shareSeries,
      upstreams: shareSeries,
    }),
  })
  .describe('The past of a prefix, oldest first.');

export const prefixDetail = prefixSummary
  .extend({
    now: time.describe('When this was read from the table.'),
    as_path_length_min: count.nullable(),
    as_path_length_max: count.nullable(),
    prepended_vps: count,
    counters: z.object({
      since: time,
      announcements: count,
      withdrawals: count,
      path_changes: count,
      origin_changes: count,
      repeats: count,
      vp_gains: count,
      vp_losses: z.object(
        Object.fromEntries(LOSS_REASONS.map((reason) => [reason, count])) as Record<
          (typeof LOSS_REASONS)[number],
          typeof count
        >,
      ),
    }),
    last_announcement_at: time.nullable(),
    last_withdrawal_at: time.nullable(),
    vantage_points: z
      .array(z.object({ source: z.string(), protocol: z.enum(['bgp', 'bmp']), visible: count, expected: count }))
      .describe('By source and protocol.'),
    regions: z
      .array(z.object({ region: z.enum(REGIONS), visible: count, expected: count }))
      .describe('By the region of the world that they are in; regions without any are left out.'),
    missing: z
      .array(z.object({ vp: vpText, since: time.nullable() }))
      .describe('Expected vantage points that do not see it, those that lost it last first, 200 at most.'),
    missing_count: count,
    path_links: z
      .array(z.object({ from: asText, to: asText, hop: count, vps: count }))
      .describe('Links of the paths that lead to the origin; `hop` is how far `from` is from the origin.'),
    as_names: z.record(z.string(), z.string()).describe('Names of the ASes of `path_links`, where there is one.'),
    marks: z.array(mark).describe('Newest first, 50 at most.'),
    changes: z.array(change).describe('Newest first, 30 at most.'),
    missed_changes: count,
    history: past.nullable().describe('null: no history of it is kept.'),
  })
  .describe('A monitored prefix now, and its past.');

export const problem = z.object({ error: z.string() });

export type PrefixSummary = z.infer<typeof prefixSummary>;
export type PrefixDetail = z.infer<typeof prefixDetail>;
export type Status = z.infer<typeof status>;
export type PrefixesEvent = z.infer<typeof prefixesEvent>;
export type PrefixList = z.infer<typeof prefixList>;
export type ChangeList = z.infer<typeof changeList>;
export type PastAnswer = z.infer<typeof past>;
export type MarkAnswer = z.infer<typeof mark>;
export type ChangeAnswer = z.infer<typeof change>;
export type AsCount = z.infer<typeof asCount>;
