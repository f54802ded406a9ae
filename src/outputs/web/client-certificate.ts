/** Whether a client's certificate lets it in, by the words of exporter-toolkit. */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { formatAddress, parseAddress } from '../../bgp/prefix.ts';
import type { WebTls } from '../../config/web/web-config.ts';

/** Why the client may not connect, for a log; undefined: it may. */
export function certificateFault(socket: TLSSocket, { clientAuth, allowedSans }: WebTls): string | undefined {
  if (clientAuth === 'NoClientCert') return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    const isOptional = clientAuth === 'RequestClientCert' || clientAuth === 'VerifyClientCertIfGiven';
    return isOptional ? undefined : 'it sent no certificate';
  }
  const isVerified = clientAuth === 'VerifyClientCertIfGiven' || clientAuth === 'RequireAndVerifyClientCert';
  if (isVerified && !socket.authorized) return `its certificate is not trusted (${String(socket.authorizationError)})`;
  if (allowedSans === undefined || subjectNames(certificate).some((name) => allowedSans.has(name))) return undefined;
  return 'none of the names of its certificate is in client_allowed_sans';
}

/** The subject alternative names: DNS, e-mail, URI as they are, IP addresses in their canonical text. */
export function subjectNames({ subjectAltName }: Pick<X509Certificate, 'subjectAltName'>): string[] {
  const names: string[] = [];
  // Node quotes a name that could be read as two names.
  const entry = /(DNS|IP Address|email|URI):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)|[^,]*(?:, |$)/gy;
  for (const [whole, kind, text] of (subjectAltName ?? '').matchAll(entry)) {
    if (whole === '') break;
    if (kind === undefined) continue; // a kind that is not asked for, such as a directory name
    const name = text.startsWith('"') ? String(JSON.parse(text)) : text;
    const words = kind === 'IP Address' ? parseAddress(name) : undefined;
    names.push(words === undefined ? name : formatAddress(words));
  }
  return names;
}
