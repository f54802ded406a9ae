/** The CAs of connections to the services, read from their file. */
import { createSecureContext } from 'node:tls';
import { ConfigError } from '../errors.ts';
import type { Config } from './config.ts';
import { fileFault, readTextFile } from './file/text-file.ts';

/** PEM; undefined where no file is configured. @throws ConfigError when it cannot be read or holds no certificate */
export function readServiceCa({ tls: { caFile } }: Pick<Config, 'tls'>): string | undefined {
  if (caFile === undefined) return undefined;
  let pem: string;
  try {
    pem = readTextFile(caFile);
  } catch (error) {
    throw new ConfigError([`tls.ca_file: ${caFile} cannot be read: ${fileFault(error)}`], error);
  }
  try {
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no certificate');
    createSecureContext({ ca: pem });
  } catch (error) {
    throw new ConfigError([`tls.ca_file: ${caFile} holds no certificate in PEM that can be read`], error);
  }
  return pem;
}
