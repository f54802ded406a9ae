import { defineConfig } from 'vitest/config';

/** The chart on a real API server, which KUBECONFIG names; `.ci/run` starts one when `deploy/` has changed. */
export default defineConfig({
  test: { include: ['test/kube/**/*.test.ts'], testTimeout: 180_000, hookTimeout: 120_000, fileParallelism: false },
});
