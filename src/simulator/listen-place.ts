/** Where a server of the simulator listens, and how a client on this machine names that place. */
export class ListenPlace {
  /** Empty: all interfaces. An IPv6 address is without brackets. */
  readonly host: string;
  /** 0 until one that is free is bound. */
  port: number;

  /**
   * @param option whose value `text` is, for the message
   * @throws TypeError when it is not `host:port`
   */
  constructor(option: string, text: string) {
    const match = /^(?:\[(.+)\]|([^:]*)):([0-9]{1,5})$/.exec(text);
    if (match === null) throw new TypeError(`${option}: expected host:port, got ${JSON.stringify(text)}`);
    this.host = match[1] ?? match[2];
    this.port = Number(match[3]);
  }

  /** For `listen` of a server; undefined: all interfaces. */
  get interface(): string | undefined {
    return this.host === '' ? undefined : this.host;
  }

  /** What a client on this machine connects to, `host:port`. */
  get authority(): string {
    const { host, port } = this;
    const reached = host === '' || host === '0.0.0.0' || host === '::' ? 'localhost' : host;
    return `${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
  }
}
