import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['functions/**/*.test.ts', 'shared/**/*.test.ts', 'scripts/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    globalSetup: ['shared/testing/engines.ts'],
    // Real servers on a machine that may be busy: a hang fails, slowness does not.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 90_000 } },
    // Two cores, and most files start processes of their own.
    maxWorkers: 2,
  },
})
