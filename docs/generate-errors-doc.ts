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
      'The configuration is wrong. `problems` has one line for each fault: its place, what was expected and what was found.',
    todo: 'Correct the named lines. `bgproutes-exporter check-config FILE` checks the file again.',
  },
  LISTEN: {
    errorClass: 'ListenError',
    meaning:
      'The exporter or the simulator cannot listen at an address: it is in use, not allowed, or not an address of this machine.',
    todo: 'Stop the program that uses the port, or choose another address (`--web.listen-address`; `--listen` of `simulate`).',
  },
  USAGE: {
    errorClass: 'UsageError',
    meaning: 'The command line is wrong.',
    todo: 'Read `bgproutes-exporter COMMAND --help`.',
  },
  OUTPUT: {
    errorClass: 'ExporterError',
    meaning: 'Standard output or standard error cannot be written, for example because a disk is full.',
    todo: 'Check where the output goes.',
  },
  HEALTHCHECK: {
    errorClass: 'ExporterError',
    meaning: 'The command `healthcheck` cannot read a file that a flag names.',
    todo: 'Correct the path, or allow the user that runs `healthcheck` to read the file.',
  },
  RECORDING: {
    errorClass: 'RecordingError',
    meaning: 'The simulator cannot read the recording that it is to play.',
    todo: 'Check the path and the format ([simulator.md](simulator.md)).',
  },
  PREFIX_TO_API_KEY: {
    errorClass: 'PrefixToAPIKeyError',
    meaning:
      'The prefixes are wrong, or the Live Manager API of bgproutes.io did not associate them with the key. `status` and `serverText` have its answer.',
    todo: 'Check the key, and how many prefixes it may have ([keys.md](keys.md)).',
  },
  WEBSOCKET_CONNECTION: {
    errorClass: 'WebsocketConnectionError',
    meaning:
      'The live stream could not be opened, was refused, or was cut off. `serverText` has the words of the service or the network.',
    todo: 'Check the way to the service ([network.md](network.md)). A refusal has its reason in `serverText`.',
  },
  STOPPED: {
    errorClass: 'StoppedError',
    meaning: 'The source was stopped, or its prefixes were replaced again, before the request was done.',
    todo: 'Nothing: the caller caused it.',
  },
  KAFKA: {
    errorClass: 'ExporterError',
    meaning: 'No broker of `fleet.brokers` answers, or the brokers refuse the request.',
    todo: 'Check `fleet.brokers`, TLS and the login. `bgproutes-exporter fleet check` tells more.',
  },
  SUPERSEDED: {
    errorClass: 'ExporterError',
    meaning:
      'Another ingest of the fleet writes from now on, or no broker has answered within `fleet.session_timeout`.',
    todo: 'Start it again, if no supervisor does: it then waits until it may write.',
  },
  BAD_REQUEST: {
    errorClass: 'DataApiError',
    meaning: 'The history does not understand the request (400, or a 4xx that has no code of its own here).',
    todo: 'Report it, because this program made the request.',
  },
  FORBIDDEN: {
    errorClass: 'DataApiError',
    meaning: 'The history refuses the key (401, 403).',
    todo: 'Check the key, and whether it may use the Data API.',
  },
  NOT_FOUND: {
    errorClass: 'DataApiError',
    meaning: 'The history does not know the path of the request (404).',
    todo: 'If the configuration sets the address of the service, check it. Otherwise report it.',
  },
  RATE_LIMITED: {
    errorClass: 'DataApiError',
    meaning: 'The history refuses more requests for now (429), and still did so at the last attempt.',
    todo: 'Look for other programs that use the key, or monitor fewer prefixes with it.',
  },
  SERVER_ERROR: {
    errorClass: 'DataApiError',
    meaning: 'The history failed (5xx).',
    todo: 'Wait. The exporter asks again by itself.',
  },
  TIMEOUT: {
    errorClass: 'DataApiError',
    meaning: 'No complete answer of the history came in time.',
    todo: 'Wait. The exporter asks again by itself. If it goes on, check the way to the service ([network.md](network.md)).',
  },
  NETWORK_ERROR: {
    errorClass: 'DataApiError',
    meaning: 'The connection to the history could not be opened (DNS, TCP, TLS), or it broke.',
    todo: 'Check the way to the service ([network.md](network.md)).',
  },
  INVALID_RESPONSE: {
    errorClass: 'DataApiError',
    meaning: 'An answer of the history cannot be used: it is not JSON, not in the documented form, or too large.',
    todo: 'Check that no proxy answers instead of the service. Otherwise wait.',
  },
};

export function errorsDoc(): string {
  const rows = ERROR_CODES.map((code) => {
    const { errorClass, meaning, todo } = ERRORS[code];
    return `| \`${code}\` | \`${errorClass}\` | ${meaning} | ${todo} |`;
  });
  return `# Error codes

<!-- Written by docs/generate-errors-doc.ts (npm run docs:errors). Do not edit. -->

Every error that this program or library throws on purpose is an \`ExporterError\` with one of the codes below. Codes are stable; messages are for people and
may change. \`actor\` says who can correct it: \`operator\`, \`service\` (it will pass, or the service must correct it) or \`bug\` (of this program). No message
contains an API key. Anything else that is thrown is a bug.

*History* means the service that tells the past of a source: the Data API of bgproutes.io, or RIPEstat for RIS Live.

| code | class | what it means | what to do |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(ERRORS_DOC, errorsDoc());
