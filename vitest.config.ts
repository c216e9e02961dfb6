import { defineConfig } from 'vitest/config';

// Packages, and what of an app the gate cannot reach, are tested from their sources; the gate (apps/acceptance) has a runner of its own and uses `dist`.
export default defineConfig({
  ssr: { resolve: { conditions: ['@svc/source'] } },
  test: {
    // By default one core is left idle; most tests wait for a database.
    maxWorkers: '100%',
    projects: [
      {
        extends: true,
        test: {
          name: 'packages',
          include: ['{packages,apps}/*/test/**/*.test.ts', 'scripts/test/**/*.test.ts'],
          typecheck: {
            enabled: true,
            include: ['packages/*/test/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
          },
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**'],
      reporter: ['text-summary', 'json-summary'],
    },
  },
});
