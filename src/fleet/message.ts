/** An update as the topic of events has it: JSON as the bgproutes.io stream has it, which its decoder reads the fast way. */
import type { RouteUpdate } from '../bgp/route-event.ts';

/**
 * @param withdrawn those of the update's prefixes that are wanted
 * @param announced likewise
 */
export function encodeUpdate(
  { vp, timeUs, attributes }: RouteUpdate,
  withdrawn: readonly string[],
  announced: readonly string[],
): Buffer {
  const own = `${vp.asn}_${vp.ip}`;
  const { parent } = vp;
  const sender =
    parent === undefined
      ? { record_type: 'update', vp: own }
      : { record_type: 'bmp_update', vp: `${parent.asn}_${parent.ip}`, bmp_peer: own };
  const time = { sec: Math.floor(timeUs / 1_000_000), Usec: timeUs % 1_000_000 };
  const route =
    announced.length === 0 || attributes === undefined
      ? {}
      : {
          prefixes: announced.join(','),
          'as-path': attributes.asPath,
          communities: attributes.communities,
          ...(attributes.nextHop !== '' && { nexthop: attributes.nextHop }),
          ...(attributes.originAttribute !== '' && { origin: attributes.originAttribute }),
        };
  return Buffer.from(
    JSON.stringify({ ...sender, ...time, ...route, ...(withdrawn.length > 0 && { withdraws: withdrawn.join(',') }) }),
  );
}
