import { defineConfig } from 'vitest/config';

/** `npm test`: needs nothing but Node. What needs other programs lives in test/real and runs by `npm run test:real`. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/real/**', 'test/kube/**', 'node_modules/**'],
    globalSetup: ['test/support/program-setup.ts'],
    // A test that waits for what never comes fails by the end of its patience (test/support/patience.ts), with what is missing.
    // These limits are for one that hangs. Where there is more work than processors, ten starts of a program take minutes.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    // Many tests wait for sockets and processes. By itself vitest leaves one processor unused.
    maxWorkers: '100%',
  },
});
