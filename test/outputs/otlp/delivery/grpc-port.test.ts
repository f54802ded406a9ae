import { describe, expect, it } from 'vitest';
import { grpcHint } from '../../../../src/outputs/otlp/delivery/grpc-port.ts';

const SURE =
  'the endpoint speaks gRPC, and metrics are sent as OTLP over HTTP: give the HTTP port of the collector, usually 4318 (protocol http/protobuf)';
const LIKELY =
  'port 4317 is most often the gRPC port: give the HTTP port of the collector, usually 4318 (protocol http/protobuf)';

function failed(code: string, more: object = {}) {
  return { kind: 'none', error: Object.assign(new Error('failed'), { code, ...more }), sent: true } as const;
}

function answered(status: number, headers: Readonly<Record<string, string>>) {
  return { kind: 'answer', status, headers, body: Buffer.alloc(0) } as const;
}

const bytes = (...values: number[]) => ({ rawPacket: Buffer.from(values) });

describe('an endpoint', () => {
  it.each([
    ['that answers with SETTINGS of HTTP/2', failed('HPE_INVALID_CONSTANT', bytes(0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 5))],
    ['that answers with GOAWAY of HTTP/2', failed('HPE_INVALID_CONSTANT', bytes(0, 0, 8, 7, 0, 0, 0, 0, 0))],
    ['that refuses HTTP/1.1 within TLS', failed('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')],
    ['that answers as gRPC does', answered(415, { 'content-type': 'application/grpc' })],
    ['that gives a status of gRPC', answered(200, { 'grpc-status': '12' })],
  ])('%s is a gRPC port', (_, result) => expect(grpcHint(result, '14317')).toBe(SURE));

  it('that cuts off at the usual port of gRPC most likely is one', () => {
    expect(grpcHint(failed('ECONNRESET'), '4317')).toBe(LIKELY);
    expect(grpcHint(failed('ECONNRESET'), '4318')).toBeUndefined();
    expect(grpcHint(failed('ECONNREFUSED'), '4317')).toBeUndefined();
  });

  it.each([
    ['that answers over HTTP', answered(404, { 'content-type': 'text/plain' })],
    [
      'that answers with another protocol',
      failed('HPE_INVALID_CONSTANT', bytes(...Buffer.from('SSH-2.0-OpenSSH\r\n'))),
    ],
    ['that answers with a stream of HTTP/2', failed('HPE_INVALID_CONSTANT', bytes(0, 0, 6, 4, 0, 0, 0, 0, 1))],
    ['that answers with too little', failed('HPE_INVALID_CONSTANT', bytes(0, 0, 6, 4))],
  ])('%s is none', (_, result) => expect(grpcHint(result, '4317')).toBeUndefined());
});
