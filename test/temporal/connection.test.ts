import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connectClient, connectWorker, loadConnection } from '../../src/temporal/connection.ts';
import { freePort } from '../../src/temporal/ports.ts';
import { inTemporaryFolder } from './fakes.ts';

/** Keeps the configuration file of whoever runs the tests out of them. */
const withoutFile = { TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml' };

it('is the local server when nothing is configured', () => {
  expect(loadConnection(withoutFile)).toMatchObject({
    connectionOptions: { address: 'localhost:7233' },
    namespace: 'default',
    configured: false,
  });
});

it('follows the environment', () => {
  const env = {
    ...withoutFile,
    TEMPORAL_ADDRESS: 'cluster:7233',
    TEMPORAL_NAMESPACE: 'rollouts',
    TEMPORAL_API_KEY: 'k',
  };
  expect(loadConnection(env)).toMatchObject({
    connectionOptions: { address: 'cluster:7233', apiKey: 'k', tls: true },
    namespace: 'rollouts',
    configured: true,
  });
});

it('follows a profile of the configuration file', () =>
  inTemporaryFolder(async (folder) => {
    const file = join(folder, 'temporal.toml');
    await writeFile(file, '[profile.staging]\naddress = "staging:7233"\nnamespace = "rollouts"\n');
    const env = { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'staging' };
    expect(loadConnection(env)).toMatchObject({
      connectionOptions: { address: 'staging:7233' },
      namespace: 'rollouts',
      configured: true,
    });
    expect(() => loadConnection({ ...env, TEMPORAL_PROFILE: 'production' })).toThrow(
      "'production' not found",
    );
  }));

it.each([
  ['client', connectClient],
  ['worker', connectWorker],
])('says where no server answers a %s, and what to do', async (_, connect) => {
  const address = `127.0.0.1:${await freePort('127.0.0.1')}`;
  const failure = connect(loadConnection({ ...withoutFile, TEMPORAL_ADDRESS: address }));
  await expect(failure).rejects.toMatchObject({ name: 'TemporalUnreachableError', address });
  await expect(failure).rejects.toThrow(
    new RegExp(`No Temporal server answers at ${address} .*Check TEMPORAL_ADDRESS`),
  );
});
