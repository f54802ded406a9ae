/** Why no connection came about, in words that can be understood without a list of error codes; the code itself stays in the text for searches. */

type Words = (where: string) => string;

/** Reasons for errors that name an address and a port. */
const BY_ADDRESS: Readonly<Record<string, Words>> = {
  ECONNREFUSED: (where) => `nothing listens at ${where}, or a firewall refuses the connection`,
  ETIMEDOUT: (where) => `${where} does not answer`,
  EHOSTUNREACH: (where) => `${where} cannot be reached from this machine`,
  ENETUNREACH: (where) => `this machine has no route to ${where}`,
};

/** Reasons for errors that name what was asked of the DNS. */
const BY_NAME: Readonly<Record<string, Words>> = {
  ENOTFOUND: (where) => `the DNS knows no address for ${where}`,
  EAI_AGAIN: (where) => `the DNS gives no answer for ${where}`,
};

/** Undefined for every error but that of a connection that could not be made, and that says to where. */
export function networkReason(error: Error): string | undefined {
  const { code, address, port, hostname } = error as Partial<Record<'code' | 'address' | 'port' | 'hostname', unknown>>;
  if (typeof code !== 'string') return undefined;
  if (typeof hostname === 'string' && Object.hasOwn(BY_NAME, code)) return `${BY_NAME[code](hostname)} (${code})`;
  if (typeof address !== 'string' || typeof port !== 'number' || !Object.hasOwn(BY_ADDRESS, code)) return undefined;
  const where = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return `${BY_ADDRESS[code](where)} (${code})`;
}
