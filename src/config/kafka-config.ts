/** Brokers of Kafka, and how they are logged in to. */
export interface KafkaLogin {
  /** `host:port`, at least one. */
  readonly brokers: readonly string[];
  /** PEM texts; `key` is a secret. Undefined: no TLS. */
  readonly tls:
    | { readonly ca: string | undefined; readonly cert: string | undefined; readonly key: string | undefined }
    | undefined;
  /** `password` is a secret. Undefined: no login. */
  readonly sasl:
    | {
        readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
        readonly username: string;
        readonly password: string;
      }
    | undefined;
}

/** Kafka topics as a source, as the configuration gives them. */
export interface KafkaConfig extends KafkaLogin {
  /** Names, or regular expressions that begin with `^`; at least one. */
  readonly topics: readonly string[];
  readonly format: 'openbmp' | 'bmp' | 'bgproutes-json';
  readonly history: 'none' | 'data-api';
}
