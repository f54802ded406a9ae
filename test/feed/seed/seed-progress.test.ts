import { expect, it } from 'vitest';
import { SeedProgress } from '../../../src/feed/seed/seed-progress.ts';
import { RoutingTable } from '../../../src/table/routing-table.ts';
import { ManualTimers } from '../../stream/manual-timers.ts';
import { RecordingLogger } from '../../stream/recording-logger.ts';

function setUp() {
  const timers = new ManualTimers();
  const logger = new RecordingLogger();
  const table = new RoutingTable({ expectedWindowMs: 86_400_000, routeTtlMs: 0, expectedVps: 'seen' });
  return { timers, logger, progress: new SeedProgress({ session: 1, table, logger, timers, title: 'the Data API' }) };
}

const STILL = 'the table is still being read from the Data API';

it('what is read is told after two seconds, and every ten from then on', () => {
  const { timers, logger, progress } = setUp();
  progress.begin(3);
  expect(logger.lines).toEqual([
    { level: 'info', message: 'the table is read from the Data API', fields: { session: 1, prefixes: 3 } },
  ]);
  progress.at('routes');
  timers.advance(1_999);
  expect(logger.lines).toHaveLength(1);
  timers.advance(1);
  progress.at('updates');
  timers.advance(10_000);
  expect(logger.lines.slice(1)).toEqual([
    { level: 'info', message: STILL, fields: { session: 1, reading: 'routes', routes: 0, seconds: 2 } },
    { level: 'info', message: STILL, fields: { session: 1, reading: 'updates', routes: 0, seconds: 12 } },
  ]);
});

it('the wait for the Data API is one line, however long it is', () => {
  const { timers, logger, progress } = setUp();
  progress.begin(1);
  progress.waits(119_400);
  timers.advance(119_400);
  expect(logger.lines.slice(1)).toEqual([
    {
      level: 'info',
      message: 'the table is read; it counts as complete when the Data API has caught up with the stream',
      fields: { session: 1, routes: 0, wait_seconds: 120 },
    },
  ]);
  progress.goesOn();
  timers.advance(2_000);
  expect(logger.lines.at(-1)?.fields).toMatchObject({ reading: 'updates', seconds: 121 });
});

it('nothing is told when the reading has ended, nor is a timer left', () => {
  const { timers, logger, progress } = setUp();
  progress.begin(1);
  progress.end();
  expect(timers.nextInMs).toBeUndefined();
  timers.advance(60_000);
  expect(logger.lines).toHaveLength(1);
});
