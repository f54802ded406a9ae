/** The SBOM that a release signs is made from the lockfile: it must name what users get, as NOTICE does. */
import { expect, it } from 'vitest';
import { lockedPackages, productionPackages } from '../../release/notice.ts';
import { makeSbom } from '../../release/sbom.ts';

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses: readonly { readonly license: { readonly id: string } }[];
}

const { bomFormat, components } = JSON.parse(makeSbom()) as {
  readonly bomFormat: string;
  readonly components: readonly Component[];
};

it('has every package with its version, licence and hash, and no other', () => {
  expect(bomFormat).toBe('CycloneDX');
  const described = components.map(({ name, version, licenses }) => `${name} ${version}: ${licenses[0]?.license.id}`);
  const users = productionPackages(lockedPackages());
  expect(described.sort()).toEqual(users.map(({ name, version, licence }) => `${name} ${version}: ${licence}`).sort());
  for (const { name, version, purl, hashes } of components) {
    expect(purl).toBe(`pkg:npm/${name.replace('@', '%40')}@${version}`);
    expect(hashes[0]?.alg).toBe('SHA-512');
    expect(hashes[0]?.content).toMatch(/^[0-9a-f]{128}$/);
  }
});
