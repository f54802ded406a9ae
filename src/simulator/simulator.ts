/**
 * A stand-in for the three services of bgproutes.io on one port: live stream, Live Manager API and Data API. What the
 * vantage points say comes from a generated Internet with a scenario, or from a recording; faults come on demand.
 */
import type { Simulator, SimulatorOptions } from './contract.ts';
import { RunningSimulator } from './running-simulator.ts';

/**
 * Rejects when the address cannot be bound, and with a RecordingError when the recording cannot be read. Throws a
 * TypeError for options that make no sense.
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { apiKeys, speed = 1 } = options;
  if (apiKeys.length === 0 || apiKeys.includes('')) throw new TypeError('apiKeys: expected at least one, none empty');
  if (speed !== 'max' && !(speed > 0 && speed < Number.POSITIVE_INFINITY)) {
    throw new TypeError(`speed: expected a positive number or max, got ${speed}`);
  }
  const running = new RunningSimulator(options);
  await running.start();
  return running;
}
