import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, bundleWorkflowCode, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { searchAttributeDefinitions } from '../../src/temporal/search-attributes.ts';
import {
  devServerEnvironment,
  timeSkippingEnvironment,
  type DevServerEnvironment,
} from '../support/temporal.ts';
import { sleeper } from './workflows.ts';

const taskQueue = 'smoke';
const TEN_HOURS_MS = 10 * 60 * 60 * 1000;
let workflowBundle: WorkflowBundle;

beforeAll(async () => {
  workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(import.meta.resolve('./workflows.ts')),
  });
});

describe('the time-skipping server', () => {
  let environment: TestWorkflowEnvironment | undefined;
  beforeAll(async () => {
    environment = await timeSkippingEnvironment();
  });
  afterAll(() => environment?.teardown());

  it('skips ten hours of sleep', async () => {
    const { client, nativeConnection: connection } = environment!;
    const worker = await Worker.create({ connection, taskQueue, workflowBundle });
    const options = { taskQueue, workflowId: 'ten-hours', args: [TEN_HOURS_MS] } as const;
    const slept = await worker.runUntil(
      client.workflow.execute(sleeper, { ...options, args: [TEN_HOURS_MS] }),
    );
    expect(slept).toBeGreaterThanOrEqual(TEN_HOURS_MS);
  });
});
