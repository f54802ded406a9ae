import { defineConfig } from 'vitest/config';

/** `npm run test:real`: tests that need promtool, Python, a container engine or Go. One file at a time: they share ports and engines. */
export default defineConfig({
  test: {
    include: ['test/real/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
