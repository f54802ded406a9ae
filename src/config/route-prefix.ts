/** The prefix of all paths of the web server, as Prometheus and blackbox_exporter find it. */

/**
 * `/bgp`, or empty for none.
 * @param externalUrl of the server as others reach it; empty: not known
 * @param routePrefix goes before the path of that URL; empty: not given
 */
export function routePrefixOf(externalUrl: string, routePrefix: string): string {
  const path = routePrefix !== '' ? routePrefix : externalUrl === '' ? '' : new URL(externalUrl).pathname;
  const inner = path.replace(/^\/+|\/+$/g, '');
  return inner === '' ? '' : `/${inner}`;
}
