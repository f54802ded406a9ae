/** What an error of the library says to people. */
import { errorText, type Redactor } from '../secrets/redaction.ts';
import type { KafkaConnection } from './broker-client.ts';

/** How deep the causes of an error are read. */
const MAX_CAUSES = 9;

/** The library wraps what went wrong in lists of causes; the first of each list counts. From the outermost to the innermost. */
export function* causes(error: unknown): Generator<Error & { readonly code?: unknown }> {
  for (let at = error, i = 0; at instanceof Error && i < MAX_CAUSES; i++) {
    yield at;
    const { errors, cause } = at as { readonly errors?: readonly unknown[]; readonly cause?: unknown };
    at = Array.isArray(errors) && errors.length > 0 ? (errors[0] as unknown) : cause;
  }
}

/** The innermost cause of an error of the library says what went wrong. */
export function deepest(error: unknown): unknown {
  return [...causes(error)].at(-1) ?? error;
}

/** A broker says nothing when it wants TLS, or a certificate, and gets none: it closes the connection. */
export function isClosed(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  return code === 'PLT_KFK_NETWORK' && typeof message === 'string' && message.startsWith('Connection closed');
}

/**
 * Why a broker may have closed the connection before it answered.
 * @param section of the configuration, which has `tls` and `sasl`
 */
export function whyClosed({ tls, sasl }: KafkaConnection, section: 'kafka' | 'fleet'): string {
  if (tls === undefined) return `it may speak TLS at this port (${section}.tls)`;
  if (tls.cert === undefined)
    return `it may ask for a certificate of the client (${section}.tls.cert_file and key_file), or speak no TLS at this port`;
  return sasl === undefined
    ? `it may not accept the certificate of ${section}.tls.cert_file, or ask for a login (${section}.sasl)`
    : `it may not accept the certificate of ${section}.tls.cert_file`;
}

/** Says why the first request to the brokers failed, as a sentence without its end. */
export function brokersText(error: unknown, connection: KafkaConnection, redact: Redactor): string {
  const cause = deepest(error);
  const why = isClosed(cause)
    ? `the broker closed the connection before it answered: ${whyClosed(connection, 'fleet')}`
    : errorText(cause, redact);
  return `the brokers ${connection.brokers.join(', ')}: ${why}`;
}
