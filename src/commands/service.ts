/** What the commands that talk to bgproutes.io have in common: whom to ask, with which key, about which prefixes. */

import { parsePrefix } from '../bgp/prefix.ts';
import type { BgproutesLiveClientOptions } from '../bgproutes/client/client.ts';
import { KEYLESS_HINT } from '../config/api-keys.ts';
import { type Config, loadConfig } from '../config/config.ts';
import { CONFIG_FLAGS } from '../config/flags.ts';
import { readServiceCa } from '../config/service-ca.ts';
import { ConfigError } from '../errors.ts';
import { useWaysOut } from '../http/ways-out.ts';
import { alternatives, didYouMean } from '../input/suggestion.ts';
import { type Arguments, type Flag, UsageError } from './arguments.ts';

const SHARED = new Set(['bgproutes.websocket-url', 'bgproutes.live-manager-url', 'bgproutes.data-api-url']);

export const PREFIX_FLAG: Flag = {
  name: 'prefix',
  value: 'PREFIX',
  repeatable: true,
  help: 'Prefix such as 192.0.2.0/24. Repeatable.',
};

/** The exporter's flags of key and addresses. */
export const SERVICE_FLAGS: readonly Flag[] = [
  {
    name: 'config.file',
    value: 'FILE',
    help: "The exporter's configuration file, for its key, addresses and, without --prefix, prefixes.",
  },
  {
    name: 'bgproutes.api-key-file',
    value: 'FILE',
    help: 'File with an API key. Without it the configuration file counts, then BGP_API_KEY or BGP_API_KEY_FILE.',
  },
  ...CONFIG_FLAGS.filter(({ name }) => SHARED.has(name)),
];

/** For the help of commands that use a session: what happens to an exporter with the same key. */
export const KEY_NOTE = `A key has one session and one list of prefixes at a time, so use a key that no running exporter uses. While another session
uses the key, the service refuses this command, which then changes nothing and ends.
`;

export interface Service extends BgproutesLiveClientOptions {
  /** Given by --prefix, else those of the configuration file; canonical texts, maybe none. */
  readonly prefixes: readonly string[];
}

/**
 * @param isSession whether the prefixes are to be those of the key's session: then one key must be enough for them
 * @param hasRisLive whether the command has --source=ris-live, which needs no key
 * @throws ConfigError as the exporter would; UsageError for a text that is not a prefix, or more than one key has
 */
export function serviceOf(
  flags: Arguments['flags'],
  env: Readonly<Record<string, string | undefined>>,
  { isSession = true, hasRisLive = true }: { readonly isSession?: boolean; readonly hasRisLive?: boolean } = {},
): Service {
  const { prefix, 'config.file': file } = flags;
  const given = Array.isArray(prefix) ? canonical(prefix as readonly string[]) : undefined;
  const load = (prefixes: readonly string[] | undefined): Config => {
    const known = SERVICE_FLAGS.map(({ name }) => [name, flags[name]] as const);
    // Without a file, a command takes only the key from the environment.
    const { BGP_API_KEY, BGP_API_KEY_FILE } = env;
    return loadConfig({
      flags: { ...Object.fromEntries(known), prefix: prefixes },
      env: file === undefined ? { BGP_API_KEY, BGP_API_KEY_FILE } : env,
    });
  };
  const config = withoutKeylessHint(hasRisLive, () =>
    file === undefined ? load(PLACEHOLDER) : loadWithFile(load, given),
  );
  if (file !== undefined) useWaysOut({ proxyUrl: config.proxyUrl, ca: readServiceCa(config) });
  const { apiKeys, websocketUrl, liveManagerUrl, dataApiUrl, prefixesPerKey } = config.bgproutes;
  const ofFile = file === undefined ? [] : config.prefixes.map((each) => each.prefix.text);
  const prefixes = given ?? ofFile;
  if (isSession && prefixes.length > prefixesPerKey) {
    throw new UsageError(
      `${prefixes.length} prefixes are more than the ${prefixesPerKey} that one key has; name some with --prefix`,
    );
  }
  return { apiKey: apiKeys[0], websocketUrl, liveManagerUrl, dataApiUrl, prefixes };
}

/** What helps an exporter that has no key is of no use to a command that asks bgproutes.io alone. */
function withoutKeylessHint(hasRisLive: boolean, load: () => Config): Config {
  try {
    return load();
  } catch (error) {
    if (hasRisLive || !(error instanceof ConfigError)) throw error;
    const problems = error.problems.map((text) =>
      text.endsWith(KEYLESS_HINT) ? text.slice(0, -KEYLESS_HINT.length) : text,
    );
    throw new ConfigError(problems, error.cause, error.subject);
  }
}

/** A configuration has a prefix; a command need not. */
const PLACEHOLDER = ['0.0.0.0/0'];

/** The prefixes of the flags replace those of the file, and stand in where it has none. */
function loadWithFile(
  load: (prefixes: readonly string[] | undefined) => Config,
  given: readonly string[] | undefined,
): Config {
  try {
    return load(undefined);
  } catch (error) {
    if (given === undefined || !(error instanceof ConfigError)) throw error;
    return load(given);
  }
}

function canonical(texts: readonly string[]): readonly string[] {
  const prefixes = texts.map((text) => {
    const prefix = parsePrefix(text);
    const shown = JSON.stringify(text.slice(0, 60));
    if (prefix === undefined) throw new UsageError(`--prefix: expected a prefix such as 192.0.2.0/24, got ${shown}`);
    if (prefix.hadHostBits) {
      throw new UsageError(`--prefix: ${shown} has bits set beyond its length, did you mean ${prefix.text}?`);
    }
    return prefix.text;
  });
  return [...new Set(prefixes)];
}

/** One of several words. */
export function choiceOf<T extends string>(
  flags: Arguments['flags'],
  name: string,
  known: readonly T[],
  fallback: T,
): T {
  const given = flags[name];
  if (given === undefined) return fallback;
  const chosen = known.find((one) => one === given);
  if (chosen === undefined) {
    const text = String(given);
    const said = `expected ${alternatives(known)}, got ${JSON.stringify(text)}${didYouMean(text, known)}`;
    throw new UsageError(`--${name}: ${said}`);
  }
  return chosen;
}
