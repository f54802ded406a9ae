import { expect, it } from 'vitest';
import { RpkiData } from '../../src/rpki/rpki-data.ts';
import { RpkiScope } from '../../src/rpki/scope.ts';
import { prefixOf, vrpOf } from './vrp-world.ts';

const SCOPE = new RpkiScope([prefixOf('10.0.0.0/8')]);
const NOW_S = 1_000;

function dataOf(
  vrps: readonly string[],
  aspas: Readonly<Record<string, readonly number[]>>,
  scope = SCOPE,
  former?: RpkiData,
) {
  const data = new RpkiData(scope, NOW_S, former);
  for (const prefix of vrps) data.addVrp(vrpOf({ prefix, asn: 64500, maxLength: 24 }), 'ripe');
  for (const [customer, providers] of Object.entries(aspas)) data.addAspa(Number(customer), providers, 0);
  return data;
}

it('says what is new compared with the data before, among the VRPs that both keep', () => {
  const former = dataOf(['10.0.0.0/24', '10.0.1.0/24', '11.0.0.0/24'], { 1: [2], 2: [3], 3: [4] });
  expect(former.changes()).toBeUndefined();
  const next = dataOf(
    ['10.0.1.0/24', '10.0.1.0/24', '10.0.2.0/24', '10.0.3.0/24', '12.0.0.0/24'],
    { 2: [3, 5], 3: [4], 4: [1] },
    SCOPE,
    former,
  );
  expect(next.changes()).toEqual({ vrp_added: 2, vrp_removed: 1, aspa_added: 1, aspa_changed: 1, aspa_removed: 1 });
  expect([next.total, next.vrps.size]).toEqual([5, 3]);
});

it('counts a customer once, however many objects it has and whatever the data before loses meanwhile', () => {
  const former = dataOf([], { 1: [2, 3], 2: [3], 3: [4] });
  const next = new RpkiData(SCOPE, NOW_S, former);
  next.addAspa(1, [2], 0);
  expect(next.changes()).toMatchObject({ aspa_added: 0, aspa_changed: 1, aspa_removed: 2 });
  next.addAspa(1, [3], 0);
  next.setAspa(2, [9]);
  next.setAspa(2, [3]);
  next.addAspa(4, [1], 0);
  next.addAspa(4, [2], 0);
  expect(next.changes()).toMatchObject({ aspa_added: 1, aspa_changed: 0, aspa_removed: 1 });
  former.aspas.remove(3);
  expect(next.changes()).toMatchObject({ aspa_added: 1, aspa_changed: 0, aspa_removed: 1 });
});

it('does not compare what was kept for other prefixes', () => {
  const former = dataOf(['10.0.0.0/24'], {});
  expect(dataOf(['10.0.0.0/24'], {}, new RpkiScope([prefixOf('10.0.0.0/8')]), former).changes()).toBeUndefined();
});

it('leaves out what has expired', () => {
  const data = new RpkiData(SCOPE, NOW_S);
  data.addVrp(vrpOf({ prefix: '10.0.0.0/24', asn: 1, maxLength: 24, expires: NOW_S }), 'ripe');
  data.addAspa(1, [2], NOW_S);
  expect([data.total, data.vrps.size, data.aspas.size]).toEqual([0, 0, 0]);
});
