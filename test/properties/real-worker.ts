import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Worker } from '@temporalio/worker';
import type { Activities } from '../../src/activities/index.ts';
import { createRolloutWorker } from '../../src/temporal/rollout-worker.ts';
import { workflowBundle } from '../support/rollout.ts';
import { NAMESPACE, timeSkippingEnvironment } from '../support/temporal.ts';

/** A server that skips time, and a worker there that carries out one case after the other. */
export interface RealWorker {
  env: TestWorkflowEnvironment;
  /** Has the worker carry out the activities of a case from now on. */
  serve(activities: Activities): Promise<Worker>;
  close(): Promise<void>;
}

export async function openRealWorker(): Promise<RealWorker> {
  const env = await timeSkippingEnvironment();
  let current: Activities;
  let started: { worker: Worker; ended: Promise<void> } | null = null;
  const start = async (): Promise<Worker> => {
    const names = Object.keys(current) as (keyof Activities)[];
    const delegate = (name: keyof Activities) => (input: never) => current[name](input);
    const worker = await createRolloutWorker({
      connection: env.nativeConnection,
      namespace: NAMESPACE,
      workflowBundle: await workflowBundle(),
      activities: Object.fromEntries(names.map((name) => [name, delegate(name)])) as unknown as Activities,
    });
    started = { worker, ended: worker.run() };
    return worker;
  };
  return {
    env,
    serve: async (activities) => {
      current = activities;
      return started?.worker ?? start();
    },
    close: async () => {
      started?.worker.shutdown();
      await started?.ended;
      await env.teardown();
    },
  };
}
