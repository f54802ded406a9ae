/** The services of the simulator that stream, by the names that the exporter has for its sources. */
export const SIMULATED_SOURCES = ['bgproutes', 'ris-live'] as const;
export type SimulatedSource = (typeof SIMULATED_SOURCES)[number];
