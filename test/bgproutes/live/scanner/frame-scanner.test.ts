import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BINARY_FILE, compiled } from '../../../../src/bgproutes/live/scanner/assembly/build.ts';
import {
  AS_PATH,
  COMMUNITIES,
  IS_BMP,
  MAX_FRAME,
  MAX_FRAMES,
  MAX_ITEMS,
  PREFIXES,
  RECORD_TYPE,
  SEC,
  USEC,
  VP,
} from '../../../../src/bgproutes/live/scanner/frame-layout.ts';
import {
  itemAt,
  metIn,
  scanFrames,
  textAt,
  textHash,
  textLength,
  texts,
  timeUsOf,
  valueAt,
} from '../../../../src/bgproutes/live/scanner/frame-scanner.ts';
import { hashText, textOfWords } from '../../../../src/table/store/text-index.ts';
import { runs } from '../../../support/property-runs.ts';

const HEAD = '"record_type":"update","vp":"64500_192.0.2.1","sec":1767225600,"Usec":17';
const bits = (...places: number[]) => places.reduce((all, place) => all | (1 << place), 0);
const textOf = (value: number) => textOfWords(texts, textAt(value), textLength(value));
function scan(text: string): number {
  expect(scanFrames([Buffer.from(text, 'latin1')], 0)).toBe(1);
  return metIn(0);
}
const announcement = (prefixes: string, communities: string) =>
  `{${HEAD},"prefixes":"${prefixes}","as-path":"64500 64496","communities":"${communities}"}`;

it('is what the compiler makes of its source', async () => {
  expect(readFileSync(BINARY_FILE, 'utf8')).toBe(await compiled());
});

describe('the scanner of frames', () => {
  it('finds values, their hashes and the time', () => {
    const places = bits(RECORD_TYPE, VP, SEC, USEC, PREFIXES, AS_PATH, COMMUNITIES);
    expect(scan(announcement('198.51.100.0/24,2001:db8::/32', ''))).toBe(places);
    expect(timeUsOf(0)).toBe(1_767_225_600_000_017);
    expect([VP, AS_PATH, COMMUNITIES].map((place) => textOf(valueAt(0, place)))).toEqual([
      '64500_192.0.2.1',
      '64500 64496',
      '',
    ]);
    const list = valueAt(0, PREFIXES);
    expect([textAt(list), textLength(list)]).toEqual([0, 2]);
    expect([0, 1].map((item) => textOf(itemAt(item)))).toEqual(['198.51.100.0/24', '2001:db8::/32']);
  });

  it('reads and hashes texts of every length as the table does', () => {
    for (let length = 0; length < 100; length++) {
      const text = '64500:1 '.repeat(13).slice(0, length);
      expect(scan(announcement('198.51.100.0/24', text))).not.toBe(0);
      const value = valueAt(0, COMMUNITIES);
      expect([textOf(value), textHash(value)]).toEqual([text, hashText(text)]);
      expect(scan(announcement(`${text},x`, ''))).not.toBe(0);
      expect([0, 1].map((item) => textHash(itemAt(item)))).toEqual([hashText(text), hashText('x')]);
    }
  });

  it.each(['"', '\\', '\n', '\u001f', '\u007f', '\u0080', 'é'])('doubts a text with %j wherever it stands', (odd) => {
    for (let at = 0; at < 40; at++) {
      const text = `${'1'.repeat(at)}${odd}${'2'.repeat(40 - at)}`;
      expect(scan(announcement('198.51.100.0/24', text))).toBe(0);
      expect(scan(announcement(text, ''))).toBe(0);
    }
  });

  it('never reads on where the frame ends, whatever came before', () => {
    const frame = announcement('198.51.100.0/24', '64500:1');
    for (let length = 0; length < frame.length; length++) {
      expect(scan(frame)).not.toBe(0);
      expect(scan(frame.slice(0, length))).toBe(0);
    }
  });

  it('tells the record types apart', () => {
    const peer = '"vp":"64501_192.0.2.2","bmp_peer":"64500_192.0.2.1","sec":1767225600';
    expect(scan(`{"record_type":"bmp_update",${peer},"withdraws":"198.51.100.0/24"}`) & bits(IS_BMP)).not.toBe(0);
    expect(scan(`{"record_type":"update",${peer},"withdraws":"198.51.100.0/24"}`) & bits(IS_BMP)).toBe(0);
    for (const other of ['', 'updates', 'bmp_updat', 'bmp_updates', 'updatf', 'UPDATE']) {
      expect(scan(`{"record_type":"${other}",${peer},"withdraws":"198.51.100.0/24"}`)).toBe(0);
    }
  });

  it('keeps to its bounds', () => {
    const room = MAX_FRAME - announcement('198.51.100.0/24', '').length;
    expect(scan(announcement('198.51.100.0/24', '1'.repeat(room)))).not.toBe(0);
    expect(textHash(valueAt(0, COMMUNITIES))).toBe(hashText('1'.repeat(room)));
    expect(scan(announcement('198.51.100.0/24', '1'.repeat(room + 1)))).toBe(0);
    const items = (count: number) => Array(count).fill('10.0.0.0/8').join();
    expect(scan(announcement(items(MAX_ITEMS), ''))).not.toBe(0);
    expect(textOf(itemAt(MAX_ITEMS - 1))).toBe('10.0.0.0/8');
    expect(scan(announcement(items(MAX_ITEMS + 1), ''))).toBe(0);
    expect(scan(announcement(','.repeat(MAX_ITEMS - 1), '1'.repeat(room - MAX_ITEMS)))).not.toBe(0);
    expect(textHash(valueAt(0, COMMUNITIES))).toBe(hashText('1'.repeat(room - MAX_ITEMS)));
  });

  it('reads plain numbers and their text, one after the other', () => {
    const withTimes = (sec: string, usec: string) => {
      const met = scan(
        `{"record_type":"update","vp":"64500_192.0.2.1","sec":${sec},"Usec":${usec},"withdraws":"::/0"}`,
      );
      return met === 0 ? undefined : timeUsOf(0);
    };
    for (let round = 0; round < 3; round++) {
      expect(withTimes('1767225600', '5')).toBe(1_767_225_600_000_005);
      expect(withTimes('"1767225600"', '"000005"')).toBe(1_767_225_600_000_005);
      expect(withTimes(' 0', '0')).toBe(0);
      expect(withTimes('7258118400', '999999')).toBe(7_258_118_400_999_999);
      for (const [sec, usec] of [
        ['7258118401', '0'],
        ['1', '1000000'],
        ['01', '0'],
        ['1', '00'],
        ['1e3', '0'],
        ['1.0', '0'],
        ['-1', '0'],
        ['', '0'],
        ['"1', '0'],
        ['""', '0'],
        ['99999999999', '0'],
        ['"00000000001"', '0'],
        ['18446744073709551617', '0'],
      ]) {
        expect(withTimes(sec, usec)).toBeUndefined();
      }
    }
  });

  describe('of several frames', () => {
    const PLACES_OF_TEXT = [VP, AS_PATH, COMMUNITIES];
    /** All that is found of a frame. */
    const found = (frame: number) => {
      const met = metIn(frame);
      if (met === 0) return 0;
      const list = valueAt(frame, PREFIXES);
      const items = (met & bits(PREFIXES)) === 0 ? [] : itemsOf(textAt(list), textLength(list));
      const values = PLACES_OF_TEXT.filter((place) => (met & bits(place)) !== 0).map((place) => valueAt(frame, place));
      return [met, timeUsOf(frame), items, values.map((value) => [textOf(value), textHash(value)])];
    };
    const itemsOf = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => [textOf(itemAt(from + i)), textHash(itemAt(from + i))]);
    const whole = announcement('198.51.100.0/24,2001:db8::/32', '64500:1 64500:2');
    const long = announcement('198.51.100.0/24', '1'.repeat(40_000));
    const frame = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.nat(300).map((n) => announcement('198.51.100.0/24', '64500:1 '.repeat(40).slice(0, n))),
      },
      { weight: 2, arbitrary: fc.nat(whole.length).map((at) => whole.slice(0, at)) },
      { weight: 2, arbitrary: fc.nat(whole.length).map((at) => whole.slice(at)) },
      { weight: 1, arbitrary: fc.constantFrom(long, long.padEnd(MAX_FRAME + 1), long.slice(1), '', '{}') },
      { weight: 1, arbitrary: fc.nat(3_000).map((n) => announcement(Array(n).fill('::/0').join(), '')) },
    );

    it('finds in each what it finds in it alone, in as many at once as there is room for', () => {
      fc.assert(
        fc.property(fc.array(frame, { maxLength: 100, size: 'max' }), (all) => {
          const frames = all.map((text) => Buffer.from(text, 'latin1'));
          const alone = frames.map((one) => {
            scanFrames([one], 0);
            return found(0);
          });
          const together: unknown[] = [];
          for (let from = 0; from < frames.length; ) {
            const scanned = scanFrames(frames, from);
            expect(scanned).toBeGreaterThan(0);
            expect(scanned).toBeLessThanOrEqual(MAX_FRAMES);
            for (let i = 0; i < scanned; i++) together.push(found(i));
            from += scanned;
          }
          expect(together).toEqual(alone);
        }),
        runs(60),
      );
    });

    it('takes the most that a frame can have, beside others', () => {
      const items = Array(MAX_ITEMS).fill('10.0.0.0/8').join();
      const frames = [whole, announcement(items, ''), whole].map((text) => Buffer.from(text));
      let scanned = 0;
      for (let from = 0; from < frames.length; from += scanned) {
        scanned = scanFrames(frames, from);
        for (let i = 0; i < scanned; i++) expect(metIn(i)).not.toBe(0);
      }
    });
  });
});
