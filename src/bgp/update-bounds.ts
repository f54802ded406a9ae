/** What one BGP UPDATE can carry at most, and so what a source that says it in JSON can honestly say of one. */

/**
 * Bytes for prefixes and path attributes together: a message has at most 65,535 (RFC 8654), of which its header takes 19 and
 * the lengths of withdrawn routes and of path attributes 2 each (RFC 4271 sections 4.1 and 4.3). Without extended messages
 * (4,096 bytes) a list has some 1,000 prefixes of /24; with them 16,000.
 */
export const MAX_UPDATE_BYTES = 65_535 - 23;

/**
 * Most different prefixes that have room in one UPDATE. Of each family there are one /0 of one byte and 510 prefixes of /1 to
 * /8 of two bytes; every other prefix takes three at least. A list of more repeats itself, and costs its reader more time
 * than the bytes of an UPDATE can.
 */
export const MAX_UPDATE_PREFIXES = 2 * 511 + Math.floor((MAX_UPDATE_BYTES - 2 * (1 + 2 * 510)) / 3);

/**
 * Most bytes of a JSON text about one UPDATE: 8 for each of its bytes. What grows most are short prefixes in an array:
 * `"255.0.0.0/8", ` has 15 characters for 2 bytes, but there are only 256 of them; `"255.255.0.0/16", ` has 19 for 3, an AS
 * number 11 for 4, a community 12 for 4.
 */
export const MAX_UPDATE_TEXT = 8 * 65_536;

/** Bytes that a prefix of this length takes in an UPDATE: the length, and as many bytes of the address as it needs. */
export function prefixBytes(length: number): number {
  return 1 + ((length + 7) >> 3);
}
