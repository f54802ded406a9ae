/** The words of exporter-toolkit for versions, cipher suites and curves, and what OpenSSL calls them. */

/** Oldest first. */
export const TLS_VERSIONS = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const;
export type TlsVersion = keyof typeof TLS_VERSIONS;
export const TLS_VERSION_NAMES = Object.keys(TLS_VERSIONS) as TlsVersion[];

/** The suites of TLS 1.2 and below that Go calls secure. */
const SUITES_OF_TLS12 = {
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
} as const;

/** Taken and without effect: TLS 1.3 always has all of them. */
const SUITES_OF_TLS13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'] as const;

export type CipherSuite = keyof typeof SUITES_OF_TLS12 | (typeof SUITES_OF_TLS13)[number];
export const CIPHER_SUITES: readonly CipherSuite[] = [
  ...SUITES_OF_TLS13,
  ...(Object.keys(SUITES_OF_TLS12) as (keyof typeof SUITES_OF_TLS12)[]),
];

/** RFC 9113 section 9.2.2: whoever speaks HTTP/2 over TLS 1.2 must have one. */
export const HTTP2_SUITES: readonly CipherSuite[] = [
  'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
];

/**
 * OpenSSL's names. A name of TLS 1.3 among them would leave TLS 1.3 with that suite alone, so they are left out; where
 * there is no other, all of them stand for "TLS 1.3 and nothing else".
 */
export function opensslCiphers(suites: readonly CipherSuite[]): string {
  const names = suites.flatMap((suite) =>
    suite in SUITES_OF_TLS12 ? [SUITES_OF_TLS12[suite as keyof typeof SUITES_OF_TLS12]] : [],
  );
  return (names.length === 0 ? SUITES_OF_TLS13 : names).join(':');
}

export const CURVES = { CurveP256: 'P-256', CurveP384: 'P-384', CurveP521: 'P-521', X25519: 'X25519' } as const;
export type Curve = keyof typeof CURVES;
export const CURVE_NAMES = Object.keys(CURVES) as Curve[];
