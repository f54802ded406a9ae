import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** These take the longest, for minutes, and mostly wait. */
const FIRST = [
  'stack.test.ts',
  'stack-alerts.test.ts',
  'rules-live.test.ts',
  'rules-promtool.test.ts',
  'rules-sites.test.ts',
];

/** Begins with the longest, so that none of them goes on alone at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = FIRST.findIndex((name) => moduleId.endsWith(`/${name}`));
      return place === -1 ? FIRST.length : place;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** `npm run test:real`: tests that need promtool, Python, a container engine or Go. They mostly wait, so more of them run than there are processors. */
export default defineConfig({
  test: {
    include: ['test/real/**/*.test.ts'],
    globalSetup: ['test/support/program-setup.ts'],
    testTimeout: 300_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
  },
});
