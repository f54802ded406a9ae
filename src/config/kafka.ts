/** The section `kafka` of the configuration: which topics of which brokers are read, and how they are reached. */
import type { z } from 'zod';
import type { ReadFile } from './api-keys.ts';
import { fileFault } from './file/text-file.ts';
import type { KafkaConfig, KafkaLogin } from './kafka-config.ts';
import * as values from './values.ts';

/** How brokers are logged in to. */
export const kafkaLogin = {
  tls: values
    .section({
      ca_file: values.path('the path of a file').optional(),
      cert_file: values.path('the path of a file').optional(),
      key_file: values.secretPath.optional(),
    })
    .optional(),
  sasl: values
    .section({
      mechanism: values.oneOf('plain', 'scram-sha-256', 'scram-sha-512'),
      username: values.text('a text', 200),
      password_file: values.secretPath,
    })
    .optional(),
};

export const kafkaSection = values.section({
  brokers: values.list(values.broker, 'a list of brokers such as kafka:9092').default(['stream.routeviews.org:9092']),
  topics: values.list(values.topic, 'a list of topics').default(['^routeviews\\..+\\.bmp_raw$']),
  format: values.oneOf('openbmp', 'bmp', 'bgproutes-json').default('openbmp'),
  ...kafkaLogin,
  history: values.oneOf('none', 'data-api').default('none'),
});

/** What a problem is about, and its words. */
export interface KafkaProblem {
  readonly path: readonly string[];
  readonly message: string;
}

interface RawLogin {
  readonly brokers: readonly string[];
  readonly tls?: { readonly ca_file?: string; readonly cert_file?: string; readonly key_file?: string } | undefined;
  readonly sasl?: Omit<NonNullable<KafkaLogin['sasl']>, 'password'> & { readonly password_file: string };
}

/**
 * Reads the files that a section names.
 * @param resolve makes a path of the file one of the working directory
 */
export function resolveLogin(
  section: string,
  raw: RawLogin,
  resolve: (path: readonly string[], file: string) => string,
  readFile: ReadFile,
): { readonly login: KafkaLogin; readonly problems: KafkaProblem[] } {
  const problems: KafkaProblem[] = [];
  const read = (path: readonly string[], file: string | undefined): string | undefined => {
    if (file === undefined) return undefined;
    try {
      const text = readFile(resolve(path, file));
      if (text.trim() !== '') return text;
      problems.push({ path, message: 'the file is empty' });
    } catch (error) {
      problems.push({ path, message: `the file cannot be read: ${fileFault(error)}` });
    }
    return undefined;
  };
  const { brokers, tls, sasl } = raw;
  if (brokers.length === 0) problems.push({ path: [section, 'brokers'], message: 'expected at least one, got none' });
  if (tls !== undefined && (tls.cert_file === undefined) !== (tls.key_file === undefined))
    problems.push({ path: [section, 'tls'], message: 'expected both of cert_file and key_file, or neither' });
  const login: KafkaLogin = {
    brokers,
    tls: tls && {
      ca: read([section, 'tls', 'ca_file'], tls.ca_file),
      cert: read([section, 'tls', 'cert_file'], tls.cert_file),
      key: read([section, 'tls', 'key_file'], tls.key_file),
    },
    sasl: sasl && {
      mechanism: sasl.mechanism,
      username: sasl.username,
      password: read([section, 'sasl', 'password_file'], sasl.password_file)?.trim() ?? '',
    },
  };
  return { login, problems };
}

/** Reads the files that the section names; `resolve` as above. */
export function resolveKafka(
  raw: z.output<typeof kafkaSection>,
  resolve: (path: readonly string[], file: string) => string,
  readFile: ReadFile,
): { readonly config: KafkaConfig; readonly problems: readonly KafkaProblem[] } {
  const { login, problems } = resolveLogin('kafka', raw, resolve, readFile);
  if (raw.topics.length === 0)
    problems.splice(raw.brokers.length === 0 ? 1 : 0, 0, {
      ...{ path: ['kafka', 'topics'], message: 'expected at least one, got none' },
    });
  return { config: { ...login, topics: raw.topics, format: raw.format, history: raw.history }, problems };
}
