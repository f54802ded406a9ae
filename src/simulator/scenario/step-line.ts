/** A step of a scenario as one line for people. */
import type { StepReport } from './steps.ts';

/** Blanks as wide as what stands before the text of a line. */
export const BELOW_TIME = ' '.repeat('14:03:20  '.length);

/** `14:03:20  outage of 192.0.2.0/24: 173 -> 0 VPs see 192.0.2.0/24`; the time is local. */
export function stepLine(report: StepReport, timeMs: number): string {
  const time = new Date(timeMs).toTimeString().slice(0, 8);
  return `${time}  ${report.text}: ${report.vpsBefore} -> ${report.vpsAfter} VPs ${report.counted}`;
}
