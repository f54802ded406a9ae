/** Cuts an export into requests of a size that collectors and the proxies before them take. */
import { DataPointType } from '@opentelemetry/sdk-metrics';
import type { OwnMetricData } from '../metric-data.ts';

/**
 * Numbers in one request: about 0.8 MB in protobuf and 2.3 MB in JSON before compression (a collector's own limit is 20 MB).
 * Each request is encoded when its turn comes, so this also bounds how long encoding holds up everything else.
 */
export const MAX_REQUEST_NUMBERS = 10_000;

/** A histogram is as long as several numbers. */
const NUMBERS_OF_HISTOGRAM = 5;

/** The metrics in order; one that does not fit goes on in the next request under the same name. */
export function* requestsOf(
  metrics: readonly OwnMetricData[],
  maxNumbers: number = MAX_REQUEST_NUMBERS,
): Generator<OwnMetricData[]> {
  let request: OwnMetricData[] = [];
  let room = maxNumbers;
  for (const metric of metrics) {
    const each = metric.dataPointType === DataPointType.HISTOGRAM ? NUMBERS_OF_HISTOGRAM : 1;
    const { length } = metric.dataPoints;
    for (let from = 0; from < length; ) {
      if (room < each) {
        yield request;
        request = [];
        room = maxNumbers;
      }
      const to = Math.min(length, from + Math.max(1, Math.floor(room / each)));
      request.push(from === 0 && to === length ? metric : partOf(metric, from, to));
      room -= (to - from) * each;
      from = to;
    }
  }
  if (request.length > 0) yield request;
}

function partOf(metric: OwnMetricData, from: number, to: number): OwnMetricData {
  // The cast: a slice of a union's member is of that member.
  return { ...metric, dataPoints: metric.dataPoints.slice(from, to) } as OwnMetricData;
}
