/** What went wrong with TLS, in words that can be understood without OpenSSL's manual, and what to do. */
import { systemCode } from './system-error.ts';

const UNTRUSTED =
  'the certificate of the server is signed by nobody who is trusted here; to trust a private CA, or that of a proxy, give its PEM file in tls.ca_file or NODE_EXTRA_CA_CERTS (for OTLP in otlp.tls.ca_file)';
const NO_TLS = 'the server does not speak TLS on this port; maybe its address begins with http:// or ws://';

const REASONS: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_UNTRUSTED: UNTRUSTED,
  CERT_HAS_EXPIRED: "the certificate of the server has expired, or this machine's clock is wrong",
  CERT_NOT_YET_VALID: "the certificate of the server is not valid yet, or this machine's clock is wrong",
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the server is for another name than that of the address',
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the server speaks only versions of TLS that are too old',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the server and this program have no version of TLS in common',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    'the server broke off the TLS handshake: it may want a client certificate, or have no cipher in common',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'the server wants a client certificate',
};

/** OpenSSL's numbers of the same, in hexadecimal: a failed write has the code EPROTO, and the number only in its text. */
const CODES: Readonly<Record<string, string>> = {
  '0A00010B': 'ERR_SSL_WRONG_VERSION_NUMBER',
  '0A0000C6': 'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  '0A000102': 'ERR_SSL_UNSUPPORTED_PROTOCOL',
  '0A00042E': 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  '0A000410': 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
  '0A00045C': 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
};

/** Undefined for every other error. */
export function tlsReason(error: Error): string | undefined {
  let code = systemCode(error);
  if (code === 'EPROTO') {
    const number = /:error:([0-9A-F]{8}):/.exec(error.message)?.[1] ?? '';
    code = Object.hasOwn(CODES, number) ? CODES[number] : undefined;
  }
  return code !== undefined && Object.hasOwn(REASONS, code) ? REASONS[code] : undefined;
}
