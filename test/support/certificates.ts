/**
 * X.509 certificates for tests of TLS, made with nothing but Node: a small DER writer (ITU-T X.690) for the few fields that a
 * handshake needs (RFC 5280).
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface TestCertificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  readonly name: string;
  readonly privateKey: KeyObject;
}

function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...contents: readonly Uint8Array[]) => der(0x30, ...contents);
const integer = (bytes: Uint8Array) => der(0x02, bytes);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const octets = (content: Uint8Array) => der(0x04, content);
const utcTime = (date: Date) => der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`));

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
const TRUE = der(0x01, Buffer.from([0xff]));

const commonName = (name: string) => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))));

/** Names of a certificate (RFC 5280 section 4.2.1.6). */
const LOCAL_NAMES = [dnsName('localhost'), ipName([127, 0, 0, 1])];

export function dnsName(name: string): Buffer {
  return der(0x82, Buffer.from(name));
}

export function emailName(address: string): Buffer {
  return der(0x81, Buffer.from(address));
}

export function uriName(uri: string): Buffer {
  return der(0x86, Buffer.from(uri));
}

export function ipName(bytes: readonly number[]): Buffer {
  return der(0x87, Buffer.from(bytes));
}

/** A certificate, valid for a day; signed by `issuer`, or by itself as a CA. Its names: 127.0.0.1 and `localhost` by default. */
export function makeCertificate(
  name: string,
  issuer?: TestCertificate,
  names: readonly Buffer[] = LOCAL_NAMES,
): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const now = Date.now();
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(8)]);
  const extensions = [
    // basicConstraints, critical: whether it is a CA.
    sequence(oid('551d13'), TRUE, octets(issuer === undefined ? sequence(TRUE) : sequence())),
    // subjectAltName
    sequence(oid('551d11'), octets(sequence(...names))),
  ];
  const content = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(serial),
    ECDSA_WITH_SHA256,
    commonName(issuer?.name ?? name),
    sequence(utcTime(new Date(now - 3_600_000)), utcTime(new Date(now + 86_400_000))),
    commonName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', content, issuer?.privateKey ?? privateKey);
  const whole = sequence(content, ECDSA_WITH_SHA256, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    name,
    privateKey,
  };
}
