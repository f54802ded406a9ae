import { defineConfig } from 'vitest/config';

/** `npm run test:real`: tests that need promtool, Python, a container engine or Go. They mostly wait, so some files run beside each other. */
export default defineConfig({
  test: {
    include: ['test/real/**/*.test.ts'],
    globalSetup: ['test/support/program-setup.ts'],
    testTimeout: 300_000,
    hookTimeout: 600_000,
    maxWorkers: 3,
  },
});
