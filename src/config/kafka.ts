/** The section `kafka` of the configuration: which topics of which brokers are read, and how they are reached. */
import type { z } from 'zod';
import type { ReadFile } from './api-keys.ts';
import { fileFault } from './file/text-file.ts';
import type { KafkaConfig } from './kafka-config.ts';
import * as values from './values.ts';

export const kafkaSection = values.section({
  brokers: values.list(values.broker, 'a list of brokers such as kafka:9092').default(['stream.routeviews.org:9092']),
  topics: values.list(values.topic, 'a list of topics').default(['^routeviews\\..+\\.bmp_raw$']),
  format: values.oneOf('openbmp', 'bmp', 'bgproutes-json').default('openbmp'),
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
  history: values.oneOf('none', 'data-api').default('none'),
});

/** What a problem is about, and its words. */
export interface KafkaProblem {
  readonly path: readonly string[];
  readonly message: string;
}

/**
 * Reads the files that the section names.
 * @param resolve makes a path of the file one of the working directory
 */
export function resolveKafka(
  raw: z.output<typeof kafkaSection>,
  resolve: (path: readonly string[], file: string) => string,
  readFile: ReadFile,
): { readonly config: KafkaConfig; readonly problems: readonly KafkaProblem[] } {
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
  for (const list of ['brokers', 'topics'] as const)
    if (raw[list].length === 0) problems.push({ path: ['kafka', list], message: 'expected at least one, got none' });
  const { tls, sasl } = raw;
  if (tls !== undefined && (tls.cert_file === undefined) !== (tls.key_file === undefined))
    problems.push({ path: ['kafka', 'tls'], message: 'expected both of cert_file and key_file, or neither' });
  const config: KafkaConfig = {
    brokers: raw.brokers,
    topics: raw.topics,
    format: raw.format,
    history: raw.history,
    tls: tls && {
      ca: read(['kafka', 'tls', 'ca_file'], tls.ca_file),
      cert: read(['kafka', 'tls', 'cert_file'], tls.cert_file),
      key: read(['kafka', 'tls', 'key_file'], tls.key_file),
    },
    sasl: sasl && {
      mechanism: sasl.mechanism,
      username: sasl.username,
      password: read(['kafka', 'sasl', 'password_file'], sasl.password_file)?.trim() ?? '',
    },
  };
  return { config, problems };
}
