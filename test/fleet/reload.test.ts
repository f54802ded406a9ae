/** A reload of a member: what it reads takes effect, what only the ingest reads is told, and what needs a restart is refused. */
import { afterEach, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { Streams } from '../../src/exporter/streams.ts';
import { proxyNamedBy, useWaysOut } from '../../src/http/ways-out.ts';
import { TableFigures } from '../../src/metrics/figures/table-figures.ts';
import { SteadyClock } from '../../src/stream/steady-clock.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { ManualTimers } from '../stream/manual-timers.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';

afterEach(() => useWaysOut({}));

const configOf = (more = '', prefix = '192.0.2.0/24') =>
  loadConfig({
    ...{ flags: { 'config.file': 'bgp.yml' }, env: {} },
    readFile: () => `prefixes: [{prefix: ${prefix}}]\nfleet: {brokers: ['127.0.0.1:1']}\n${more}`,
  });

it('takes a proxy, warns of settings of the sources, and refuses other prefixes', async () => {
  const logger = new RecordingLogger();
  const timers = new SteadyClock(new ManualTimers());
  const config = configOf();
  const streams = new Streams({
    ...{
      config,
      table: new RoutingTable(config.table),
      figures: new TableFigures(0),
      timers,
      logger,
      userAgent: 'x/1',
    },
    ...{ feeds: undefined, reloadConfig: undefined, onRefusedLate: () => {} },
  });
  const target = new URL('https://rpki.example.net/');
  await streams.change(config, config, { proxyUrl: 'http://proxy.example.net:3128' });
  expect(proxyNamedBy(target)).toBeDefined();
  expect(JSON.stringify(logger)).not.toContain('only the ingest reads them');
  await streams.change(configOf('sources: [ris-live]\n'), config, {});
  expect(proxyNamedBy(target)).toBeUndefined();
  expect(JSON.stringify(logger)).toContain('only the ingest reads them');
  await expect(
    streams.change(configOf('', '198.51.100.0/24'), config, { proxyUrl: 'http://proxy.example.net:3128' }),
  ).rejects.toThrow(/prefixes: a member of a fleet reads them at its start/);
  expect(proxyNamedBy(target)).toBeUndefined();
});
