/** The names of ASes whose numbers are in labels. */
import { MAX_NAMED_ASES } from '../../table/bounds.ts';
import { defineMetrics } from '../metric.ts';

/** Only where `names` is configured. */
export const nameMetrics = defineMetrics({
  asInfo: {
    otlpName: 'bgp.as_info',
    kind: 'gauge',
    unit: '',
    labels: ['as', 'name', 'country'],
    help: 'Always 1; its labels have the name and country of an AS from the file names.as_file. Only for ASes that are an origin or an upstream of a monitored prefix now, or are configured as one.',
    bound: MAX_NAMED_ASES.toLocaleString('en-US'),
  },
});
