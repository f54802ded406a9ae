/** Claim 2: the exporter takes in messages faster than one that calls prom-client for each, and both say the same. */
import { atLeast, type Claim, mustEqual } from './claim.ts';
import { comparable } from './exposition.ts';
import { ingest } from './ingest.ts';

export const claim: Claim = {
  number: 2,
  title: 'ingest against a naive exporter',
  measure: async (context) => {
    const { measured, series } = await ingest(context);
    const { exporter, naive } = series;
    mustEqual('metrics', comparable(exporter, naive), comparable(naive, naive));
    context.progress(`${comparable(naive, naive).length} series are the same`);
    return [
      atLeast(
        'whole ingest against ws + JSON.parse + prom-client for each message is faster',
        5,
        measured.ratio('naive', 'exporter'),
      ),
    ];
  },
};
