import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevServer } from '../../src/temporal/dev-server.ts';
import { registerSearchAttributes } from '../../src/temporal/register-search-attributes.ts';
import { searchAttributeDefinitions } from '../../src/temporal/search-attributes.ts';
import {
  bundleWorkflows,
  devServerEnvironment,
  historyToJson,
  NAMESPACE,
  type DevServerEnvironment,
} from '../support/temporal.ts';
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

describe('stopping', () => {
  it('ends the process and removes the temporary log', async () => {
    const server = await startDevServer({ port: 0, headless: true });
    await server.stop();
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
    expect(existsSync(server.logFile)).toBe(false);
    await expect(server.stop()).resolves.toBeUndefined();
  });
});
