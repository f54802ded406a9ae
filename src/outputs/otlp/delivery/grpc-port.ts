/** Tells when the endpoint is the gRPC port of a collector, which cannot understand OTLP over HTTP: the common mix-up. */
import type { PostResult } from './http-post.ts';

const WHAT_TO_DO = 'give the HTTP port of the collector, usually 4318 (protocol http/protobuf)';
const GRPC_PORT = '4317';

/** Error codes of a connection that the other side ended without an answer. */
const CUT_OFF = new Set(['ECONNRESET', 'EPIPE']);

/** RFC 9113 sections 4.1 and 6: what a server of HTTP/2 sends first is SETTINGS, or GOAWAY to a client it does not understand. */
const SETTINGS = 0x4;
const GOAWAY = 0x7;
const FRAME_HEAD_BYTES = 9;

/** A sentence for the log; undefined when nothing speaks for gRPC. `port` is that of the URL, empty for the scheme's own. */
export function grpcHint(result: PostResult, port: string): string | undefined {
  if (result.kind === 'answer') {
    const { 'content-type': type, 'grpc-status': status } = result.headers;
    return type?.startsWith('application/grpc') === true || status !== undefined ? sure() : undefined;
  }
  const { error } = result;
  // What could not be parsed as HTTP/1.1 is part of the error of Node's parser.
  const bytes: unknown = 'rawPacket' in error ? error.rawPacket : undefined;
  if (bytes instanceof Uint8Array && isHttp2(bytes)) return sure();
  if (error.code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL') return sure();
  return port === GRPC_PORT && CUT_OFF.has(error.code ?? '')
    ? `port ${GRPC_PORT} is most often the gRPC port: ${WHAT_TO_DO}`
    : undefined;
}

function sure(): string {
  return `the endpoint speaks gRPC, and metrics are sent as OTLP over HTTP: ${WHAT_TO_DO}`;
}

/** A frame of the connection (stream 0) of one of the two types. */
function isHttp2(bytes: Uint8Array): boolean {
  const type = bytes[3];
  return (
    bytes.length >= FRAME_HEAD_BYTES &&
    (type === SETTINGS || type === GOAWAY) &&
    bytes.subarray(5, FRAME_HEAD_BYTES).every((byte) => byte === 0)
  );
}
