/** Alerts about the exporter, its table and its outputs. */
import {
  exporterMetrics as exporter,
  prefixMetrics as prefix,
  streamMetrics as stream,
  tableMetrics as table,
} from '../../src/metrics/catalogue.ts';
import { runtimeMetrics } from '../../src/metrics/runtime-metrics.ts';
import {
  AFTER,
  ALL,
  again,
  BEFORE,
  critical,
  DOWN,
  DURING,
  during,
  EXPORTER_LABELS,
  session,
  UNSEEDED,
  warning,
} from './events.ts';
import type { RuleTest } from './rule-test.ts';
import { counter, INSTANCE, JOB, levels, of } from './world.ts';

/** Whether what a flag names could be read. */
const RELOAD_STATES = {
  'config.file': exporter.exporterConfigLastReloadSuccessful.name,
  'web.config.file': exporter.exporterWebConfigLastReloadSuccessful.name,
} as const;

export const exporterTests: readonly RuleTest[] = [
  {
    alert: 'BGPExporterDown',
    kinds: ['firing', 'resolving'],
    name: 'the scrape fails, then works again',
    minutes: ALL,
    changes: {
      [of.exporter('up')]: levels([1, BEFORE], [0, DURING], [1, AFTER]),
      [of.exporter(exporter.exporterBuildInfo.name, { version: '0.1.0' })]: levels(
        [1, BEFORE],
        ['stale', 1],
        ['_', DURING - 1],
        [1, AFTER],
      ),
    },
    checks: [
      { at: BEFORE + 1, firing: [] },
      { at: BEFORE + 3, firing: [critical('BGPExporterDown', {})] },
      { at: BEFORE + DURING + 1, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 3,
        severity: 'critical',
        labels: EXPORTER_LABELS,
        summary: `No metrics from the BGP exporter ${JOB} at ${INSTANCE}`,
        description:
          'Prometheus could not read the exporter for two minutes, so nothing is known about its prefixes. No alert about them begins meanwhile; those that fire go on. ' +
          "Check first whether its process runs (its log's last lines say why it stopped), then whether Prometheus reaches it; through OTLP, whether the collector runs.",
      },
    ],
  },
  {
    alert: 'BGPExporterDown',
    kinds: ['firing'],
    name: 'it never came up',
    minutes: 30,
    changes: {
      [of.exporter('up')]: levels([0, 30]),
      [of.exporter(exporter.exporterBuildInfo.name, { version: '0.1.0' })]: '',
    },
    checks: [{ at: 5, firing: [critical('BGPExporterDown', {})] }],
  },
  {
    alert: 'BGPExporterDown',
    kinds: ['firing', 'resolving'],
    name: 'through OTLP: the collector is scraped, but no longer has anything of the exporter',
    minutes: ALL,
    changes: {
      [of.exporter('up')]: '',
      [of.exporter('up', { job: 'otel-collector' })]: levels([1, ALL]),
      [of.exporter(exporter.exporterBuildInfo.name, { version: '0.1.0' })]: levels(
        [1, BEFORE],
        ['stale', 1],
        ['_', DURING - 1],
        [1, AFTER],
      ),
    },
    checks: [
      { at: BEFORE - 1, firing: [] },
      { at: BEFORE + 3, firing: [critical('BGPExporterDown', {})] },
      { at: BEFORE + DURING + 1, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 3,
        severity: 'critical',
        labels: { job: JOB },
        summary: `No metrics from the BGP exporter ${JOB}`,
        description:
          'Prometheus could not read the exporter for two minutes, so nothing is known about its prefixes. No alert about them begins meanwhile; those that fire go on. ' +
          "Check first whether its process runs (its log's last lines say why it stopped), then whether Prometheus reaches it; through OTLP, whether the collector runs.",
      },
    ],
  },
  {
    alert: 'BGPExporterDown',
    kinds: ['not firing'],
    name: 'other jobs are not its business; an instance that was replaced is not missed',
    minutes: ALL,
    changes: {
      'up{job="node",instance="edge:9100"}': levels([0, ALL]),
      [of.exporter(exporter.exporterBuildInfo.name, { version: '0.0.9', instance: 'old:10479' })]: levels(
        [1, BEFORE],
        ['stale', 1],
      ),
    },
    checks: [BEFORE + 10, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPExporterDown',
    kinds: ['not firing'],
    name: 'a job of many kinds of targets: another one is down',
    minutes: ALL,
    changes: {
      'up{job="pods",instance="bgp:10479"}': levels([1, ALL]),
      'up{job="pods",instance="shop:8080"}': levels([0, ALL]),
      [of.exporter(exporter.exporterBuildInfo.name, { job: 'pods', instance: 'bgp:10479' })]: levels([1, ALL]),
    },
    checks: [BEFORE, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPExporterDown',
    kinds: ['firing'],
    name: 'a job of many kinds of targets: the exporter is down',
    minutes: ALL,
    changes: {
      'up{job="pods",instance="bgp:10479"}': levels([1, BEFORE], [0, DURING + AFTER]),
      'up{job="pods",instance="shop:8080"}': levels([1, ALL]),
      [of.exporter(exporter.exporterBuildInfo.name, { job: 'pods', instance: 'bgp:10479' })]: levels(
        [1, BEFORE],
        ['stale', 1],
      ),
    },
    checks: [
      { at: BEFORE + 1, firing: [] },
      { at: BEFORE + 3, firing: [critical('BGPExporterDown', {})] },
    ],
  },
  {
    alert: 'BGPExporterDown',
    kinds: ['firing'],
    name: 'a job of many kinds of targets: the exporter is no target any more, and another one is down',
    minutes: ALL,
    changes: {
      'up{job="pods",instance="bgp:10479"}': levels([1, BEFORE], ['stale', 1]),
      'up{job="pods",instance="shop:8080"}': levels([0, ALL]),
      [of.exporter(exporter.exporterBuildInfo.name, { job: 'pods', instance: 'bgp:10479' })]: levels(
        [1, BEFORE],
        ['stale', 1],
      ),
    },
    checks: [
      { at: BEFORE + 1, firing: [] },
      { at: BEFORE + 3, firing: [critical('BGPExporterDown', {})] },
    ],
  },
  {
    alert: 'BGPExporterUnstable',
    kinds: ['firing', 'resolving'],
    name: 'the stream is cut again and again; the table is whole for one minute in four',
    minutes: BEFORE + 60 + AFTER,
    changes: {
      [of.exporter(table.tableSeeded.name)]: levels([1, BEFORE], ...again(15, [0, 3], [1, 1]), [1, AFTER]),
      [session(stream.streamDisconnects.name, { reason: 'closed' })]: levels(
        [0, BEFORE],
        ...Array.from({ length: 15 }, (_, i) => [i + 1, 4] as const),
        [15, AFTER],
      ),
    },
    checks: [
      { at: BEFORE + 35, firing: [] },
      { at: BEFORE + 50, firing: [warning('BGPExporterUnstable', {})] },
      { at: BEFORE + 66, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 50,
        severity: 'warning',
        labels: EXPORTER_LABELS,
        summary: `The BGP exporter ${INSTANCE} comes and goes`,
        description:
          'It knew its prefixes for 7 of the last 30 minutes only. Alerts of absence need minutes without a break, so they may stay quiet when something happens. ' +
          'Disconnects: closed 7; restarts: 0. ' +
          "Check first what ends the connections (a proxy, a second session with the same key), or the process (its log's last lines).",
      },
    ],
  },
  {
    alert: 'BGPExporterUnstable',
    kinds: ['firing'],
    name: 'the process starts again every three minutes, and its table is never whole',
    minutes: BEFORE + 60,
    changes: {
      [of.exporter('up')]: levels([1, BEFORE], ...again(20, [1, 2], [0, 1])),
      [session(stream.streamUp.name)]: levels([1, BEFORE], ...again(20, [1, 2], ['stale', 1])),
      [of.exporter(table.tableSeeded.name)]: levels([1, BEFORE], ...again(20, [0, 2], ['stale', 1])),
      [of.exporter(runtimeMetrics.processStartTime.name)]: levels(
        [1, BEFORE],
        ...Array.from({ length: 20 }, (_, i) => [i + 2, 3] as const),
      ),
    },
    checks: [
      { at: BEFORE + 15, firing: [] },
      { at: BEFORE + 50, firing: [warning('BGPExporterUnstable', {})] },
    ],
  },
  {
    alert: 'BGPExporterUnstable',
    kinds: ['not firing'],
    name: 'down for an hour and a half, and up again: another alert says it',
    minutes: BEFORE + 90 + AFTER,
    changes: Object.fromEntries(
      [session(stream.streamUp.name), of.prefix(prefix.prefixTrusted.name)].map((series) => [
        series,
        levels([1, BEFORE], [0, 90], [1, AFTER]),
      ]),
    ),
    checks: [
      { at: BEFORE + 30, firing: [DOWN] },
      { at: BEFORE + 80, firing: [DOWN] },
      { at: BEFORE + 90 + 10, firing: [] },
      { at: BEFORE + 90 + 25, firing: [] },
    ],
  },
  {
    alert: 'BGPExporterUnstable',
    kinds: ['not firing'],
    name: 'cut every ten minutes, for two',
    minutes: BEFORE + 60,
    changes: { [of.exporter(table.tableSeeded.name)]: levels([1, BEFORE], ...again(6, [0, 2], [1, 8])) },
    checks: [BEFORE + 30, BEFORE + 59].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPTableNotSeeded',
    kinds: ['firing', 'resolving'],
    name: 'the Data API says no for half an hour',
    minutes: ALL,
    changes: {
      ...during(of.exporter(table.tableSeeded.name), 1, 0),
      [of.exporter(table.dataApiRequests.name, { endpoint: 'rib', result: 'forbidden' })]: counter(
        [0, BEFORE],
        [1, DURING],
        [0, AFTER],
      ),
      [of.exporter(table.ripestatRequests.name, { call: 'bgp-state', result: 'timeout' })]: counter(
        [0, BEFORE],
        [2, DURING],
        [0, AFTER],
      ),
    },
    checks: [
      { at: BEFORE + 14, firing: [] },
      { at: BEFORE + 20, firing: [UNSEEDED] },
      { at: BEFORE + DURING + 6, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 20,
        severity: 'warning',
        labels: EXPORTER_LABELS,
        summary: `The table of ${INSTANCE} is not known to be complete`,
        description:
          "For 15 minutes the table, or a part of it, was not read from its source's history (the Data API, RIPEstat): visible VPs may be too low, and alerts of absence (not visible, drop, storm, flapping, longer paths) are quiet for the prefixes of that part. Alerts of presence (origins, upstreams, more-specifics) go on. " +
          'Requests to the Data API in the last 15 minutes: rib forbidden 15; to RIPEstat: bgp-state timeout 30. ' +
          'Check first that the key may use the Data API (forbidden), and its hourly quota (rate_limited); RIPEstat needs no key, and is some minutes behind.',
      },
    ],
  },
  {
    alert: 'BGPTableNotSeeded',
    kinds: ['not firing'],
    name: 'a seed may take ten minutes',
    minutes: 60,
    changes: { [of.exporter(table.tableSeeded.name)]: levels([0, 10], [1, 50]) },
    checks: [9, 16, 30].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPTableDrift',
    kinds: ['firing', 'resolving'],
    name: 'a comparison corrects a tenth of the routes; the next ones nothing',
    minutes: 240,
    changes: { [of.exporter(table.tableSeedCorrections.name)]: levels([0, 61], [100, 179]) },
    checks: [
      { at: 61, firing: [] },
      { at: 70, firing: [warning('BGPTableDrift', {})] },
      { at: 195, firing: [] },
    ],
    message: [
      {
        at: 130,
        severity: 'warning',
        labels: EXPORTER_LABELS,
        summary: `The table of ${INSTANCE} drifts: 10% of its routes had to be corrected`,
        description:
          'Comparisons with the history (the Data API, RIPEstat) in the last two hours had to correct 10% of the routes (limit 2%). They are right now, but were wrong between comparisons: the stream loses or misreads messages. ' +
          'Check first decode failures, dropped events and gaps on the Exporter dashboard.',
      },
    ],
  },
  {
    alert: 'BGPTableDrift',
    kinds: ['not firing'],
    name: 'a few routes in a thousand are corrected; or some of very few',
    minutes: 240,
    changes: {
      [of.exporter(table.tableSeedCorrections.name)]: levels([0, 61], [8, 179]),
      [of.exporter(table.tableRoutes.name)]: levels([1000, 100], [20, 140]),
    },
    checks: [70, 110, 200].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPOtlpExportFailing',
    kinds: ['firing', 'resolving'],
    name: 'the collector is away for half an hour',
    minutes: ALL,
    changes: {
      [of.exporter(exporter.exporterOtlpExports.name, { result: 'success' })]: counter(
        [1, BEFORE],
        [0, DURING],
        [1, AFTER],
      ),
      [of.exporter(exporter.exporterOtlpExports.name, { result: 'unavailable' })]: counter(
        [0, BEFORE],
        [1, DURING],
        [0, AFTER],
      ),
    },
    checks: [
      { at: BEFORE + 5, firing: [] },
      { at: BEFORE + 20, firing: [warning('BGPOtlpExportFailing', {})] },
      { at: BEFORE + DURING + 21, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 20,
        severity: 'warning',
        labels: EXPORTER_LABELS,
        summary: `100% of the OTLP exports of ${INSTANCE} fail`,
        description:
          'Limit 10%. Results in the last 15 minutes: unavailable 15. What goes out through OTLP is late or missing; /metrics is not concerned. ' +
          'Check first whether the collector runs and accepts (rejected: it will not take them; unavailable: it is down or overloaded; partial: it refused some points).',
      },
    ],
  },
  {
    alert: 'BGPOtlpExportFailing',
    kinds: ['not firing'],
    name: 'OTLP is off; elsewhere one export failed',
    minutes: ALL,
    changes: {
      [of.exporter(exporter.exporterOtlpExports.name, { result: 'success' })]: levels([0, ALL]),
      [of.exporter(exporter.exporterOtlpExports.name, { result: 'success', instance: 'b:1' })]: counter([1, ALL]),
      [of.exporter(exporter.exporterOtlpExports.name, { result: 'unavailable', instance: 'b:1' })]: levels(
        [0, BEFORE],
        [1, DURING + AFTER],
      ),
    },
    checks: [BEFORE + 12, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPExporterConnectionsCut',
    kinds: ['firing', 'resolving'],
    name: 'a scraper whose answer never arrives in time, and another client that says nothing',
    minutes: ALL,
    changes: {
      [of.exporter(exporter.exporterHttpCutConnections.name, { reason: 'slow_answer' })]: counter(
        [0, BEFORE],
        [1, DURING],
        [0, AFTER],
      ),
      [of.exporter(exporter.exporterHttpCutConnections.name, { reason: 'slow_request' })]: counter(
        [0, BEFORE],
        [2, DURING],
        [0, AFTER],
      ),
    },
    checks: [
      { at: BEFORE + 12, firing: [] },
      { at: BEFORE + 20, firing: [warning('BGPExporterConnectionsCut', {})] },
      { at: BEFORE + DURING + 10, firing: [warning('BGPExporterConnectionsCut', {})] },
      { at: BEFORE + DURING + 18, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 25,
        severity: 'warning',
        labels: EXPORTER_LABELS,
        summary: `The web server of ${INSTANCE} keeps cutting connections`,
        description:
          'It refused or ended 30 connections within 10 minutes, by reason: slow_request 20 slow_answer 10. A scrape among them is a gap in all metrics of this exporter. ' +
          'Check first who connects: a second Prometheus, a proxy that shares one address, a network that loses answers (slow_answer), a client that is no scraper (slow_request, bad_request, pipelining), or a scraper without TLS or with a wrong certificate (tls_handshake, client_certificate).',
      },
    ],
  },
  {
    alert: 'BGPExporterConnectionsCut',
    kinds: ['firing'],
    name: 'one scrape in two minutes is too slow',
    minutes: ALL,
    changes: {
      [of.exporter(exporter.exporterHttpCutConnections.name, { reason: 'slow_answer' })]: counter(
        [0, BEFORE],
        ...again(DURING / 2, [1, 1], [0, 1]),
        [0, AFTER],
      ),
    },
    checks: [
      { at: BEFORE + 12, firing: [] },
      { at: BEFORE + 25, firing: [warning('BGPExporterConnectionsCut', {})] },
    ],
  },
  {
    alert: 'BGPExporterConnectionsCut',
    kinds: ['not firing'],
    name: 'a scan of ports that is over in a minute, and a client that errs once in ten',
    minutes: ALL,
    changes: {
      [of.exporter(exporter.exporterHttpCutConnections.name, { reason: 'bad_request' })]: levels(
        [0, BEFORE],
        [40, DURING + AFTER],
      ),
      [of.exporter(exporter.exporterHttpCutConnections.name, { reason: 'slow_request', instance: 'b:1' })]: counter(
        ...again(ALL / 10, [1, 1], [0, 9]),
      ),
    },
    checks: [BEFORE + 10, BEFORE + 17, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  ...(['config.file', 'web.config.file'] as const).map(
    (why): RuleTest => ({
      alert: 'BGPExporterConfigRefused',
      kinds: ['firing', 'resolving'],
      name: `what --${why} says is wrong until it is mended`,
      minutes: ALL,
      changes: {
        [of.exporter(RELOAD_STATES[why])]: levels([1, BEFORE], [0, DURING], [1, AFTER]),
      },
      checks: [
        { at: BEFORE + 4, firing: [] },
        { at: BEFORE + 8, firing: [warning('BGPExporterConfigRefused', { why })] },
        { at: BEFORE + DURING + 8, firing: [] },
      ],
      message: [
        {
          at: BEFORE + 8,
          severity: 'warning',
          labels: { ...EXPORTER_LABELS, why },
          summary: `The configuration of ${INSTANCE} is wrong, it runs with an old one`,
          description:
            `What --${why} names was refused, and the last good configuration stays in force. The exporter would not start with the new one, so a restart would end the monitoring. ` +
            'Check first the line of its log that says what is wrong; bgproutes-exporter check-config says it too. If only a certificate or only its key was renewed, renew the other one too.',
        },
      ],
    }),
  ),
  {
    alert: 'BGPExporterConfigRefused',
    kinds: ['not firing'],
    name: 'a certificate whose key comes a minute later',
    minutes: ALL,
    changes: {
      [of.exporter(RELOAD_STATES['web.config.file'])]: levels([1, BEFORE], [0, 1], [1, DURING + AFTER - 1]),
    },
    checks: [BEFORE + 5, BEFORE + 8, ALL - 1].map((at) => ({ at, firing: [] })),
  },
];
