/** The certificates of OTLP, read from their files. */
import { resolve } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { fileFault, readBoundedFile } from '../file/text-file.ts';
import type { OtlpConfig } from './otlp-config.ts';

/** Contents of PEM files. */
export interface TlsFiles {
  /** Whom to trust instead of the CAs of Node. */
  readonly ca: Buffer | undefined;
  /** Client certificate chain and its key. */
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** For messages: the key in the file, and the variable that may have named the path instead. */
const PLACES = {
  caFile: 'otlp.tls.ca_file (or OTEL_EXPORTER_OTLP_CERTIFICATE)',
  certFile: 'otlp.tls.cert_file (or OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE)',
  keyFile: 'otlp.tls.key_file (or OTEL_EXPORTER_OTLP_CLIENT_KEY)',
} as const;

/** @throws ConfigError when a file cannot be read */
export function readOtlpTls({ tls }: Pick<OtlpConfig, 'tls'>): TlsFiles {
  const problems: string[] = [];
  const read = (key: keyof typeof PLACES): Buffer | undefined => {
    const path = tls[key];
    if (path === undefined) return undefined;
    try {
      return readBoundedFile(resolve(path));
    } catch (error) {
      problems.push(`${PLACES[key]}: ${path} cannot be read: ${fileFault(error)}`);
      return undefined;
    }
  };
  const files = { ca: read('caFile'), cert: read('certFile'), key: read('keyFile') };
  if (problems.length > 0) throw new ConfigError(problems);
  return files;
}
