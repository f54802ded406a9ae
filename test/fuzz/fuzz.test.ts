import { expect, it } from 'vitest';
import { API_TARGETS } from './api-answers.ts';
import { BMP_TARGET } from './bmp-records.ts';
import { HTTP_TARGETS } from './http-requests.ts';
import { OTLP_TARGETS } from './otlp-answers.ts';
import { RPKI_TARGETS } from './rpki-sets.ts';
import { SNAPSHOT_TARGET } from './snapshots.ts';

/** Of a few thousand inputs some make sense, or nothing behind the first look is tried. */
it.each([...API_TARGETS, SNAPSHOT_TARGET, BMP_TARGET, ...OTLP_TARGETS, ...HTTP_TARGETS, ...RPKI_TARGETS])(
  '$name: $share',
  async ({ share, run }) => {
    expect(await run(share * 20, 1)).toBeGreaterThan(0);
  },
);
