/** What the two encodings of OTLP have in common. */
import type { Resource } from '@opentelemetry/resources';
import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import type { OwnMetricData } from '../metric-data.ts';

/** One request: metrics of one scope of one resource. */
export interface MetricsRequest {
  readonly resource: Pick<Resource, 'attributes'>;
  readonly scope: ScopeMetrics['scope'];
  readonly metrics: readonly OwnMetricData[];
}

/** What a collector says of a request that it accepted in part, or with a warning. */
export interface PartialSuccess {
  /** 0: nothing was refused, `message` is a warning. */
  readonly rejectedPoints: number;
  /** The server's words, as they came. */
  readonly message: string;
}

export interface Serializer {
  readonly contentType: string;
  /** An ExportMetricsServiceRequest. The result is the caller's. */
  serialize(request: MetricsRequest): Uint8Array;
  /** Reads an ExportMetricsServiceResponse. Undefined when all is well. Throws when the body is not such a response. */
  partialSuccess(body: Uint8Array): PartialSuccess | undefined;
}
