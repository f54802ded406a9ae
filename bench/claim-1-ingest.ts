/** Claim 1: taking a message from the socket into the table costs little more than receiving it. */
import { atMost, type Claim } from './claim.ts';
import { ingest } from './ingest.ts';

export const claim: Claim = {
  number: 1,
  title: 'ingest against receiving only',
  measure: async (context) => {
    const { measured } = await ingest(context);
    return [
      atMost(
        'whole ingest, socket to table, CPU a message, against ws receiving only',
        3,
        measured.ratio('exporter', 'receive'),
      ),
    ];
  },
};
