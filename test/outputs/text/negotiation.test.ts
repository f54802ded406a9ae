import { describe, expect, it } from 'vitest';
import { acceptsGzip, negotiateFormat } from '../../../src/outputs/text/negotiation.ts';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const OPENMETRICS_OLD = 'application/openmetrics-text; version=0.0.1; charset=utf-8';

describe('negotiateFormat', () => {
  it.each<[string | undefined, string]>([
    // No wish, or none that can be met: the text format.
    [undefined, TEXT],
    ['', TEXT],
    ['*/*', TEXT],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', TEXT],
    ['application/json', TEXT],
    ['application/json;q=0', TEXT],
    ['application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited', TEXT],
    ['text/*', TEXT],
    ['text/plain', TEXT],
    ['text/plain; version=0.0.4', TEXT],
    ['text/plain;version=1.0.0', TEXT],
    // What Prometheus 2 and 3 send.
    [
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      OPENMETRICS,
    ],
    [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1',
      OPENMETRICS,
    ],
    [
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1',
      OPENMETRICS,
    ],
    ['application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', OPENMETRICS_OLD],
    ['application/openmetrics-text', OPENMETRICS],
    ['application/*', OPENMETRICS],
    ['APPLICATION/OpenMetrics-Text; Version=1.0.0', OPENMETRICS],
    ['application/openmetrics-text; version="1.0.0"', OPENMETRICS],
    ['application/openmetrics-text; charset=utf-8', OPENMETRICS],
    ['application/openmetrics-text; version=2.0.0', TEXT],
    // The higher quality wins, whatever the order.
    ['text/plain;q=0.2, application/openmetrics-text;q=0.3', OPENMETRICS],
    ['application/openmetrics-text;q=0.2, text/plain;q=0.3', TEXT],
    ['application/openmetrics-text;q=0.1, */*;q=0.9', TEXT],
    // Equal quality: the more exact range, then the first one.
    ['*/*, application/openmetrics-text', OPENMETRICS],
    ['application/openmetrics-text, text/plain', OPENMETRICS],
    ['text/plain, application/openmetrics-text', TEXT],
    // q=0 is a refusal, and the most exact range decides.
    ['application/openmetrics-text;q=0, */*', TEXT],
    ['text/plain;q=0, */*;q=0.1', OPENMETRICS],
    ['text/plain;version=0.0.4;q=0, text/plain, application/openmetrics-text;q=0.1', OPENMETRICS],
    ['application/openmetrics-text;version=1.0.0;q=0, application/openmetrics-text;q=0.9, */*;q=0.1', OPENMETRICS_OLD],
    // What is not well formed does not count.
    ['application/openmetrics-text;q=2', TEXT],
    ['application/openmetrics-text;q=', TEXT],
    ['application/openmetrics-text;q=-1', TEXT],
    ['application/openmetrics-text;q=0.1234', TEXT],
    [',,;q=1,/,;;,application/openmetrics-text', OPENMETRICS],
    ['text/x;a="b,application/openmetrics-text', TEXT],
    ['text/x;a=",application/openmetrics-text\\"", application/openmetrics-text', OPENMETRICS],
  ])('Accept: %s', (accept, contentType) => {
    expect(negotiateFormat(accept).contentType).toBe(contentType);
  });

  it('names the format of the content type', () => {
    expect(negotiateFormat('application/openmetrics-text;version=0.0.1').format).toBe('openmetrics');
    expect(negotiateFormat('text/plain').format).toBe('text');
  });
});

describe('acceptsGzip', () => {
  it.each<[string | undefined, boolean]>([
    [undefined, false],
    ['', false],
    ['gzip', true],
    ['GZIP', true],
    ['x-gzip', true],
    ['gzip, deflate, br', true],
    ['deflate, br', false],
    ['*', true],
    ['*;q=0', false],
    ['gzip;q=0', false],
    ['gzip;q=0, *', false],
    ['gzip;q=0.000', false],
    ['gzip;q=0.5, identity;q=1', false],
    ['gzip;q=1, identity;q=0.5', true],
    ['identity', false],
    ['identity;q=0, *', true],
    ['gzip;q=nonsense', false],
  ])('Accept-Encoding: %s -> %s', (value, expected) => {
    expect(acceptsGzip(value)).toBe(expected);
  });
});
