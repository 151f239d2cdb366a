import { defineConfig } from 'vitest/config';

/** One vitest project per kind of test, so that `--project domain` runs just that layer of the pyramid. */
const kind = (name: string, extra: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: 30_000, hookTimeout: 120_000, ...extra },
});

/** Tests that start servers (JVM, Temporal CLI, PostgreSQL) run file by file: the machines have two cores. */
const servers = { fileParallelism: false, testTimeout: 180_000, hookTimeout: 240_000 };

export default defineConfig({
  test: {
    pool: 'forks',
    reporters: ['default'],
    projects: [
      kind('domain'),
      kind('stores', servers),
      kind('activities'),
      kind('rehearsal'),
      kind('properties', { testTimeout: 3_600_000 }),
      kind('cli', servers),
      kind('temporal', servers),
      kind('workflows', servers),
      kind('integration', servers),
      kind('replay', servers),
      kind('e2e', { ...servers, testTimeout: 600_000 }),
    ],
  },
});
