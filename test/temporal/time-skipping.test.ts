import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundleWorkflows, timeSkippingEnvironment } from '../support/temporal.ts';
import { attributed, sleeper } from './workflows.ts';

const TEN_HOURS_MS = 10 * 60 * 60 * 1000;
const taskQueue = 'time-skipping';

let environment: TestWorkflowEnvironment | undefined;
let workflowBundle: WorkflowBundle;

beforeAll(async () => {
  environment = await timeSkippingEnvironment();
  workflowBundle = await bundleWorkflows(fileURLToPath(new URL('workflows.ts', import.meta.url)));
});

afterAll(() => environment?.teardown());

const createWorker = () =>
  Worker.create({ connection: environment!.nativeConnection, taskQueue, workflowBundle });

it('skips ten hours of sleep', async () => {
  const worker = await createWorker();
  const run = environment!.client.workflow.execute(sleeper, {
    taskQueue,
    workflowId: 'ten-hours',
    args: [TEN_HOURS_MS],
  });
  expect(await worker.runUntil(run)).toBeGreaterThanOrEqual(TEN_HOURS_MS);
});

it('knows every search attribute', async () => {
  const worker = await createWorker();
  const run = environment!.client.workflow.execute(attributed, { taskQueue, workflowId: 'attributed' });
  await expect(worker.runUntil(run)).resolves.toBeUndefined();
});
