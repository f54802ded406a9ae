import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_NAME } from '../../src/names/as-names.ts';
import { asNamesOf } from '../support/as-names.ts';
import { runs } from '../support/property-runs.ts';

const read = (...lines: string[]) => asNamesOf(Buffer.from(`${lines.join('\n')}\n`));

describe('the public forms', () => {
  it('RIPE NCC: number, handle and name, country', () => {
    const names = read(
      '1 LVLT-1, US',
      '3333 RIPE-NCC-AS RIPE Network Coordination Centre, NL',
      '7 UK Defence, Research, GB\r',
      '64500 A name without a country',
    );
    expect(names.size).toBe(4);
    expect(names.find(1)).toEqual({ name: 'LVLT-1', country: 'US' });
    expect(names.find(3333)).toEqual({ name: 'RIPE-NCC-AS RIPE Network Coordination Centre', country: 'NL' });
    expect(names.find(7)).toEqual({ name: 'UK Defence, Research', country: 'GB' });
    expect(names.find(64500)).toEqual({ name: 'A name without a country', country: '' });
    expect(names.find(2)).toBeUndefined();
  });

  it('bgp.tools: a header, quoted names, and older files without a country', () => {
    const names = read(
      'asn,name,class,cc',
      'AS10000,Nagasaki Cable Media Inc.,Eyeball,JP',
      'AS10001,"Mics Network, ""Mics"" Corp.",Eyeball,JP',
      'AS10002,Igaueno Cable Television,Unknown',
    );
    expect([names.size, names.unreadable]).toEqual([3, 0]);
    expect(names.find(10_000)).toEqual({ name: 'Nagasaki Cable Media Inc.', country: 'JP' });
    expect(names.find(10_001)).toEqual({ name: 'Mics Network, "Mics" Corp.', country: 'JP' });
    expect(names.find(10_002)).toEqual({ name: 'Igaueno Cable Television', country: '' });
  });

  it('Team Cymru: with bars, aligned or not', () => {
    const names = read(
      'Bulk mode; whois.cymru.com [2026-11-28 12:00:00 +0000]',
      '18|US|arin|1984-07-27|University of Texas at Austin, US',
      '23028   | US | arin     | 2002-01-04 | TEAM-CYMRU, US',
    );
    expect([names.size, names.unreadable]).toEqual([2, 0]);
    expect(names.find(18)).toEqual({ name: 'University of Texas at Austin', country: 'US' });
    expect(names.find(23_028)).toEqual({ name: 'TEAM-CYMRU', country: 'US' });
  });

  it('CAIDA: the name and country of the organisation, wherever its line is', () => {
    const names = read(
      '{"organizationId":"LPL-141-ARIN","changed":"20170128","name":"Level 3 Parent, LLC","country":"US","source":"ARIN","type":"Organization"}',
      '{"asn":"1","changed":"20240618","name":"LVLT-1","opaqueId":"e5e3b9c1","organizationId":"LPL-141-ARIN","source":"ARIN","type":"ASN"}',
      '{"asn":"3333","name":"RIPE-NCC-AS","organizationId":"ORG-RIEN1-RIPE","source":"RIPE","type":"ASN"}',
      '{"asn":"64500","name":"ALONE","organizationId":"nobody","type":"ASN"}',
      '{"organizationId":"ORG-RIEN1-RIPE","name":"RIPE NCC","country":"NL","type":"Organization"}',
    );
    expect([names.size, names.unreadable]).toEqual([3, 0]);
    expect(names.find(1)).toEqual({ name: 'Level 3 Parent, LLC', country: 'US' });
    expect(names.find(3333)).toEqual({ name: 'RIPE NCC', country: 'NL' });
    expect(names.find(64_500)).toEqual({ name: 'ALONE', country: '' });
  });
});

describe('what is wrong', () => {
  it('is counted, and the rest is read; comments and empty lines are neither', () => {
    const names = read('# names', '', 'hello', '4294967296 too large, NL', '64500', '{"asn":', '64501 right, NL');
    expect([names.size, names.unreadable]).toEqual([1, 4]);
    expect(names.find(64_501)?.name).toBe('right');
  });

  it('a name is cut, and has no control characters', () => {
    const names = read(`64500 ${'x'.repeat(500)}, NL`, '64501 a\u0007b\u202ec, NL');
    expect(names.find(64_500)?.name).toBe('x'.repeat(MAX_NAME));
    expect(names.find(64_501)).toEqual({ name: 'a b c', country: 'NL' });
  });

  it('no bytes make it throw', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom('64500 a, NL', 'AS1,"a', '1|', '{"asn":1}', '{"type":"Organization"}', '{"asn":"1","name":{}}'),
      fc.json(),
    );
    fc.assert(
      fc.property(fc.array(line), fc.uint8Array({ maxLength: 8 }), (lines, tail) => {
        const names = asNamesOf(Buffer.concat([Buffer.from(lines.join('\n')), tail]));
        for (const asn of [0, 1, 64_500, 4_294_967_295]) {
          const found = names.find(asn);
          if (found === undefined) continue;
          expect([...found.name].length).toBeLessThanOrEqual(MAX_NAME);
          expect(found.country).toMatch(/^(?:[A-Z]{2})?$/);
        }
      }),
      runs(200),
    );
  });
});
