/** The Data API for a command: long waits are told on standard error. */
import { DataApiClient } from '../../bgproutes/data-api/client.ts';
import { buildInfo } from '../../version.ts';
import type { CommandIo } from '../command.ts';
import type { Service } from '../service.ts';
import { noteLogger } from '../terminal/note-logger.ts';

export function dataApiOf({ apiKey, dataApiUrl }: Service, io: CommandIo): DataApiClient {
  return new DataApiClient({
    apiKey,
    ...(dataApiUrl === undefined ? {} : { baseUrl: dataApiUrl }),
    userAgent: `bgproutes-exporter/${buildInfo(io.env).version}`,
    // The log tells of waits for the quota and of repeated requests.
    log: noteLogger(io.stderr, [apiKey]),
  });
}
