/** A log for people at a terminal: notes between the output, as the commands write their own. */
import type { LogFields, Logger } from '../../logger.ts';
import { foreignText, redactor } from '../../secrets/redaction.ts';
import type { CommandIo } from '../command.ts';
import { note } from './note.ts';

/** `# waiting for the quota (seconds 12)`; what is for debugging is left out. Secrets are redacted. */
export function noteLogger(stderr: CommandIo['stderr'], secrets: readonly string[]): Logger {
  const redact = redactor(secrets);
  const loggerWith = (bound: LogFields): Logger => {
    const tell = (message: string, fields: LogFields = {}): void => {
      const said = Object.entries({ ...bound, ...fields })
        .filter(([, value]) => value !== undefined && value !== '')
        // Each is cut for itself: a long reason must not take away what stands behind it.
        .map(([name, value]) => `${name.replaceAll('_', ' ')} ${foreignText(String(value), redact)}`)
        .join(', ');
      const text = foreignText(message, redact);
      note({ stderr }, said === '' ? text : `${text} (${said})`);
    };
    return { debug: () => {}, info: tell, warn: tell, error: tell, child: (more) => loggerWith({ ...bound, ...more }) };
  };
  return loggerWith({});
}
