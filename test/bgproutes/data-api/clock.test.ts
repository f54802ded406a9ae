import { describe, expect, it } from 'vitest';
import { clockOffset, serverTime } from '../../../src/bgproutes/data-api/request.ts';
import { parseRetryAfter } from '../../../src/http/retry-after.ts';
import { noVps, world } from './data-api-world.ts';

const NOON = Date.parse('2026-06-16T12:00:00Z');
const AT_NOON = 'Tue, 16 Jun 2026 12:00:00 GMT';

describe('the clock of the Data API, by the Date of its answers', () => {
  it.each([
    ['agrees when it lies between question and answer', AT_NOON, -800, 900, 0],
    ['agrees also when the answer was long in coming', AT_NOON, -30_000, 1_000, 0],
    ['agrees within what whole seconds and a busy machine make of it', AT_NOON, 4_000, 4_500, 0],
    ['is behind ours, which is fast', AT_NOON, 300_000, 301_000, -300_000],
    ['is ahead of ours, which is slow', AT_NOON, -301_000, -300_000, 300_000],
    ['tells nothing without a date', undefined, 0, 0, undefined],
    ['tells nothing with a date that is none', '-1', 0, 0, undefined],
    ['is told too when it is years off', 'Thu, 01 Jan 1970 00:00:00 GMT', 0, 0, -NOON],
  ])('%s', (_, date, asked, came, offset) => {
    expect(clockOffset(serverTime(date, undefined), NOON + asked, NOON + came)).toBe(offset);
  });

  it.each([
    ['600', 600_000],
    [' 1 ', 1_000],
    ['0', 0],
    ['', 0],
    ['-5', 0],
    ['1e9', 0],
  ])('an answer of a cache is as old as its Age says: %j', (age, ms) => {
    expect(serverTime(AT_NOON, age)).toBe(NOON + ms);
  });

  it('tells how long to wait, where both are dates, whatever our clock says', () => {
    const later = 'Tue, 16 Jun 2026 12:02:00 GMT';
    expect(parseRetryAfter(later, serverTime(AT_NOON, undefined)!)).toBe(120_000);
  });

  it('is read of every answer that tells it', async () => {
    const offsets = [-60_000, 240_000, undefined];
    const { client, timers } = await world((_, response, count) => {
      const offset = offsets[count - 1];
      response.writeHead(200, { date: offset === undefined ? 'none' : new Date(timers.now() + offset).toUTCString() });
      response.end(noVps);
    });
    const seen = [client.clockOffsetMs];
    for (const _ of offsets) {
      await client.vantagePoints();
      seen.push(client.clockOffsetMs);
    }
    expect(seen).toEqual([0, -60_000, 240_000, 240_000]);
  });

  it('is that of this machine where a cache answers with what it kept for an hour, and of another where that is dated wrong', async () => {
    const HOUR_MS = 3_600_000;
    const offsets = [0, 240_000];
    const { client, timers } = await world((_, response, count) => {
      const date = new Date(timers.now() - HOUR_MS + offsets[count - 1]).toUTCString();
      response.writeHead(200, { date, age: String(HOUR_MS / 1000) }).end(noVps);
    });
    const seen: (number | undefined)[] = [];
    for (const _ of offsets) {
      await client.vantagePoints();
      seen.push(client.clockOffsetMs);
    }
    expect(seen).toEqual(offsets);
  });
});
