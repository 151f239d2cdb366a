import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startTracing, type Tracing } from '../../src/telemetry/tracing.ts';
import { loadWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { installQuietRuntime } from '../support/temporal.ts';
import { recordedHistories } from './histories.ts';

/** Histories were recorded without traces and without names of subjects in the log: neither may matter to a workflow. */

let tracing: Tracing;
beforeAll(async () => {
  installQuietRuntime();
  // Nobody listens there: what is sent is lost, and nothing waits for it.
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:1');
  tracing = await startTracing('replay');
});
afterAll(() => vi.unstubAllEnvs());

async function problems(plugins: Tracing['plugins']): Promise<string[]> {
  const histories = await recordedHistories();
  const workflowBundle = await loadWorkflowBundle({ plugins });
  const failed: string[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle, plugins },
    histories,
  )) {
    if (error) failed.push(`${workflowId}: ${error.message}`);
  }
  return failed;
}

it('workflows that a worker logs go on with every recorded history', async () => {
  expect(await problems([])).toEqual([]);
});

it('workflows that are traced go on with every recorded history', async () => {
  expect(tracing.plugins).toHaveLength(1);
  expect(await problems(tracing.plugins)).toEqual([]);
});
