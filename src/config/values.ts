/** The single values of the configuration, by kind. */
export * from './values/addresses.ts';
export * from './values/bgp.ts';
export * from './values/scalars.ts';
export * from './values/texts.ts';
export * from './values/value.ts';
