/** Writes docs/errors.md from the closed list of error codes: `npm run docs:errors`. A test says when the file is stale. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERROR_CODES, type ErrorCode } from '../src/errors.ts';

export const ERRORS_DOC = fileURLToPath(new URL('errors.md', import.meta.url));

interface ErrorEntry {
  readonly errorClass: string;
  readonly meaning: string;
  readonly todo: string;
}

/** Each code in words. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorEntry>> = {
  CONFIG: {
    errorClass: 'ConfigError',
    meaning:
      'The configuration is wrong. `problems` has one line for each fault, with its place, what was expected and what was got.',
    todo: 'Correct the lines named; `bgproutes-exporter check-config FILE` tells whether all are right.',
  },
  LISTEN: {
    errorClass: 'ListenError',
    meaning:
      'An address that the exporter or the simulator should listen at cannot be bound: in use, not allowed, or not of this machine.',
    todo: 'Stop the program that uses the port, or choose another address (`--web.listen-address`; `--listen` of `simulate`).',
  },
  USAGE: {
    errorClass: 'UsageError',
    meaning: 'The command line is wrong.',
    todo: 'Read `bgproutes-exporter COMMAND --help`.',
  },
  OUTPUT: {
    errorClass: 'ExporterError',
    meaning: 'Standard output or standard error cannot be written, such as to a full disk.',
    todo: 'Look at where the output goes.',
  },
  HEALTHCHECK: {
    errorClass: 'ExporterError',
    meaning: 'The command `healthcheck` cannot read a file that a flag names.',
    todo: 'Correct the path, or let the user of the check read the file.',
  },
  RECORDING: {
    errorClass: 'RecordingError',
    meaning: 'The simulator cannot read the recording that it is to play.',
    todo: 'Check the path and the format, see [simulator.md](simulator.md).',
  },
  PREFIX_TO_API_KEY: {
    errorClass: 'PrefixToAPIKeyError',
    meaning:
      'The prefixes are wrong, or the Live Manager API of bgproutes.io did not associate them with the key. `status` and `serverText` have its answer.',
    todo: 'Check the key and how many prefixes it may have, see [keys.md](keys.md).',
  },
  WEBSOCKET_CONNECTION: {
    errorClass: 'WebsocketConnectionError',
    meaning:
      'The live stream could not be opened, was refused, or was cut off. `serverText` has the words of the service or the network.',
    todo: 'Check the way to the service, see [network.md](network.md). A refusal names its reason.',
  },
  STOPPED: {
    errorClass: 'StoppedError',
    meaning: 'The source was stopped, or its prefixes were replaced once more, before the request was done.',
    todo: 'Nothing: the caller ended it.',
  },
  KAFKA: {
    errorClass: 'ExporterError',
    meaning: 'No broker of `fleet.brokers` answers, or it refuses.',
    todo: 'Look at `fleet.brokers`, TLS and the login; `fleet check` tells more.',
  },
  SUPERSEDED: {
    errorClass: 'ExporterError',
    meaning: 'Another ingest of the fleet writes from now on, or no broker has answered for a session.',
    todo: 'Nothing where it is started again by itself: it then waits for its turn.',
  },
  BAD_REQUEST: {
    errorClass: 'DataApiError',
    meaning: 'The history does not understand the request (400, or another 4xx that is not below).',
    todo: 'Report it: the request is made by this program.',
  },
  FORBIDDEN: {
    errorClass: 'DataApiError',
    meaning: 'The history refuses the key (401, 403).',
    todo: 'Renew the key.',
  },
  NOT_FOUND: {
    errorClass: 'DataApiError',
    meaning: 'The history does not know the path of the request (404).',
    todo: 'Check the address of the service, if the configuration sets it; else report it.',
  },
  RATE_LIMITED: {
    errorClass: 'DataApiError',
    meaning: 'The history refuses more requests for now (429), and still did so at the last attempt.',
    todo: 'Look for other programs that use the key; monitor fewer prefixes with it.',
  },
  SERVER_ERROR: {
    errorClass: 'DataApiError',
    meaning: 'The history failed (5xx).',
    todo: 'Wait: the exporter asks again by itself.',
  },
  TIMEOUT: {
    errorClass: 'DataApiError',
    meaning: 'No complete answer of the history came in time.',
    todo: 'Wait: the exporter asks again by itself. If it stays, check the way to the service.',
  },
  NETWORK_ERROR: {
    errorClass: 'DataApiError',
    meaning: 'No connection to the history could be made (DNS, TCP, TLS), or it broke.',
    todo: 'Check the way to the service, see [network.md](network.md).',
  },
  INVALID_RESPONSE: {
    errorClass: 'DataApiError',
    meaning: 'An answer of the history cannot be used: not JSON, not of the documented form, or too large.',
    todo: 'Check that no proxy answers in place of the service; else wait.',
  },
};

export function errorsDoc(): string {
  const rows = ERROR_CODES.map((code) => {
    const { errorClass, meaning, todo } = ERRORS[code];
    return `| \`${code}\` | \`${errorClass}\` | ${meaning} | ${todo} |`;
  });
  return `# Error codes

<!-- Written by docs/generate-errors-doc.ts (npm run docs:errors). Do not edit. -->

Every error that this program or library throws on purpose is an \`ExporterError\`, whose \`code\` stands in the table below. Codes are stable;
messages are for people and may change. \`actor\` says who can mend it: \`operator\`, \`service\` (it passes, or the service must mend it)
or \`bug\` (of this program). No message holds an API key. Anything else that is thrown is a bug.

| code | class | what it means | what to do |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(ERRORS_DOC, errorsDoc());
