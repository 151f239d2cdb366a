import { defineConfig } from 'vitest/config';

/** One vitest project per kind of test, so that `--project domain` runs just that layer of the pyramid. */
const kind = (name: string, extra: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: 30_000, hookTimeout: 120_000, ...extra },
});

/** Tests that start servers (JVM, Temporal CLI, PostgreSQL), each a server of its own: two files at a time may be slow. */
const servers = { testTimeout: 180_000, hookTimeout: 240_000 };
/** Tests of whole processes, whose waits are real: one file at a time. */
const processes = { fileParallelism: false, testTimeout: 600_000, hookTimeout: 240_000 };

export default defineConfig({
  test: {
    pool: 'forks',
    // Vitest leaves one core alone otherwise, and most tests wait for a server.
    maxWorkers: 2,
    reporters: ['default'],
    projects: [
      kind('domain'),
      kind('stores', servers),
      kind('activities'),
      kind('rehearsal'),
      kind('properties', { testTimeout: 3_600_000 }),
      kind('cli', servers),
      kind('temporal', { ...servers, fileParallelism: false }),
      kind('workflows', servers),
      kind('integration', servers),
      kind('replay', servers),
      kind('upgrade', processes),
      kind('e2e', processes),
      kind('survival', {
        testTimeout: 600_000,
        hookTimeout: 240_000,
        globalSetup: 'test/survival/support/build.ts',
        // A case mostly waits for Temporal's time-outs.
        maxConcurrency: 5,
      }),
    ],
  },
});
