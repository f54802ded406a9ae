/**
 * The key of the simulator and of the demo: no secret. It is redacted like any other, so it is no part of a word, and too short
 * for a search for pieces of it.
 */
export const SIMULATOR_KEY = 'sim-key';
