/** What of the simulator streams, by the names that the exporter has for its sources. */
export const SIMULATED_SOURCES = ['bgproutes', 'ris-live'] as const;
export type SimulatedSource = (typeof SIMULATED_SOURCES)[number];
