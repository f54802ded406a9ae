/** Settings that are allowed and probably not meant: warnings of `check-config`. */
import { bogonOf } from '../../bgp/bogons.ts';
import type { Config } from '../../config/config.ts';
import { readAsNames } from '../../names/as-name-file.ts';
import { validate } from '../../rpki/origin-validation.ts';
import { readOnce } from '../../rpki/read-once.ts';
import { systemTimers } from '../../stream/timers.ts';
import { buildInfo } from '../../version.ts';
import type { CommandIo } from '../command.ts';
import { noteLogger } from '../terminal/note-logger.ts';

/** Time that the sources of validated data have to answer, ms. */
const ONLINE_LIMIT_MS = 5 * 60_000;

/** Prefixes that are never announced, and a file of names that cannot be read. */
export async function configWarnings({ prefixes, names }: Config): Promise<string[]> {
  const found = prefixes.flatMap(({ prefix }) => {
    const bogon = bogonOf(prefix);
    if (bogon === undefined) return [];
    const where = bogon.isOutside ? `it is outside of ${bogon.block}` : `it is in ${bogon.block}`;
    return [`${prefix.text} is never announced on the public Internet: ${where} (RFC ${bogon.rfc})`];
  });
  const read = names === undefined ? undefined : await readAsNames(names.asFile);
  if (read?.ok === false) found.push(`names.as_file: ${names?.asFile} cannot be read: ${read.reason}`);
  return found;
}

/** Configured origins that are RPKI invalid, by the sources of the configuration. Undefined when no source has data that is fresh enough. */
export async function invalidOrigins({ rpki, prefixes }: Config, io: CommandIo): Promise<string[] | undefined> {
  if (rpki === undefined) return ['--online asks nobody: rpki.sources is not configured'];
  const { sources: places, maxAgeMs } = rpki;
  const read = await readOnce({
    ...{ places, maxAgeMs, prefixes: prefixes.map(({ prefix }) => prefix), limitMs: ONLINE_LIMIT_MS },
    ...{ timers: systemTimers, unixMs: Date.now, signal: io.signal },
    userAgent: `bgproutes-exporter/${buildInfo(io.env).version}`,
    log: noteLogger(
      io.stderr,
      places.flatMap((place) => (place.kind === 'url' ? [place.url] : [])),
    ),
  });
  if (read === undefined) return io.signal.aborted ? [] : undefined;
  return prefixes.flatMap(({ prefix, origins = [] }) => {
    const covering = read.data.vrps.covering(prefix, Date.now() / 1_000);
    const told = covering.map((vrp) => `${vrp.prefix} up to /${vrp.maxLength} from AS${vrp.asn}`).join(', ');
    return origins.flatMap((origin) => {
      const validity = validate(covering, prefix.length, origin);
      if (validity === 'valid' || validity === 'not_found') return [];
      const from = typeof origin === 'number' ? `AS${origin}` : origin;
      return [`${prefix.text} from ${from} is RPKI ${validity}: there are VRPs for ${told}`];
    });
  });
}
