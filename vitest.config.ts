import { defineConfig } from 'vitest/config';

/** `npm test`: needs nothing but Node. What needs other programs lives in test/real and runs by `npm run test:real`. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/real/**', 'test/kube/**', 'node_modules/**'],
    globalSetup: ['test/support/program-setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Many tests wait for sockets and processes. By itself vitest leaves one processor unused.
    maxWorkers: '100%',
  },
});
