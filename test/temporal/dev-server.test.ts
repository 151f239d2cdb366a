import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SearchAttributeType } from '@temporalio/common';
import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from '../../src/temporal/connection.ts';
import { claimDatabase } from '../../src/temporal/database-claim.ts';
import { ServerExitedError } from '../../src/temporal/dev-server-process.ts';
import { startDevServer } from '../../src/temporal/dev-server.ts';
import {
  registerSearchAttributes,
  SearchAttributeConflictError,
} from '../../src/temporal/register-search-attributes.ts';
import { searchAttributeDefinitions } from '../../src/temporal/search-attributes.ts';
import {
  bundleWorkflows,
  devServerEnvironment,
  historyToJson,
  NAMESPACE,
  type DevServerEnvironment,
} from '../support/temporal.ts';
import { inTemporaryFolder } from './fakes.ts';
import { attributed, sleeper } from './workflows.ts';

const taskQueue = 'dev-server';

describe('a dev server in memory', () => {
  let environment: DevServerEnvironment | undefined;
  let workflowBundle: WorkflowBundle;

  beforeAll(async () => {
    environment = await devServerEnvironment();
    workflowBundle = await bundleWorkflows(fileURLToPath(new URL('workflows.ts', import.meta.url)));
  });

  afterAll(() => environment?.stop());

  const createWorker = () =>
    Worker.create({ connection: environment!.nativeConnection, taskQueue, workflowBundle });

  it('knows every search attribute when it is ready, so that registering them again does nothing', async () => {
    const { connection } = environment!;
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace: NAMESPACE,
    });
    expect(Object.keys(customAttributes)).toEqual(
      expect.arrayContaining(searchAttributeDefinitions.map(({ name }) => name)),
    );
    await expect(registerSearchAttributes(connection, NAMESPACE)).resolves.toBeUndefined();
  });

  it('refuses to go on with a search attribute of another type', async () => {
    const other = [{ name: 'RolloutPhase', type: SearchAttributeType.KEYWORD }];
    await expect(registerSearchAttributes(environment!.connection, NAMESPACE, other)).rejects.toThrow(
      SearchAttributeConflictError,
    );
  });

  it('runs workflows that sleep and that set every search attribute', async () => {
    const { workflow } = environment!.client;
    const worker = await createWorker();
    const runs = Promise.all([
      workflow.execute(sleeper, { taskQueue, workflowId: 'nap', args: [50] }),
      workflow.execute(attributed, { taskQueue, workflowId: 'attributed' }),
    ]);
    const [slept] = await worker.runUntil(runs);
    expect(slept).toBeGreaterThanOrEqual(50);
  });

  it('gives histories that replay from JSON, which takes one single version of protobufjs', async () => {
    const { workflow } = environment!.client;
    const worker = await createWorker();
    await worker.runUntil(workflow.execute(sleeper, { taskQueue, workflowId: 'replayed', args: [1] }));
    const history = await workflow.getHandle('replayed').fetchHistory();
    const json: unknown = JSON.parse(historyToJson(history));
    await expect(Worker.runReplayHistory({ workflowBundle }, json, 'replayed')).resolves.toBeUndefined();
  });
});

describe('startDevServer', () => {
  it('ends the process and removes the temporary log when it is stopped', async () => {
    const server = await startDevServer({ port: 0, headless: true });
    await server.stop();
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
    expect(existsSync(server.logFile)).toBe(false);
    await expect(server.stop()).resolves.toBeUndefined();
  });

  it('keeps what it has on file for the next one, and admits one server at a time', () =>
    inTemporaryFolder(async (folder) => {
      const options = { dbFile: join(folder, 'var', 'temporal.db'), port: 0, headless: true };
      const first = await startDevServer(options);
      const settings = {
        connectionOptions: { address: first.address },
        namespace: NAMESPACE,
        configured: true,
        dataConverter: {},
      };
      const { client, connection } = await connectClient(settings);
      try {
        await client.workflow.start(sleeper, { taskQueue, workflowId: 'kept', args: [1] });
        await expect(claimDatabase(options.dbFile, 0)).rejects.toThrow(
          `process ${first.pid} at ${first.address}`,
        );
      } finally {
        await connection.close();
        await first.stop();
      }
      const second = await devServerEnvironment(options);
      try {
        const { status } = await second.client.workflow.getHandle('kept').describe();
        expect(status.name).toBe('RUNNING');
      } finally {
        await second.stop();
      }
    }));

  it('fails with the last log lines when the server does not start', () =>
    inTemporaryFolder(async (folder) => {
      const logFile = join(folder, 'temporal.log');
      const failure = startDevServer({ port: 0, headless: true, logFile, extraArgs: ['--no-such-flag'] });
      await expect(failure).rejects.toThrow(ServerExitedError);
      await expect(failure).rejects.toThrow('unknown flag: --no-such-flag');
    }));

  it('does not give a port that a person asked for another number', () =>
    inTemporaryFolder(async (folder) => {
      const server = await startDevServer({ port: 0, headless: true });
      try {
        const options = { port: Number(server.address.split(':')[1]), logFile: join(folder, 'temporal.log') };
        await expect(startDevServer({ ...options, headless: true })).rejects.toThrow(
          'address already in use',
        );
      } finally {
        await server.stop();
      }
    }));
});
