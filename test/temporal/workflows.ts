import { sleep } from '@temporalio/workflow';

/** Sleeps, and says for how long it slept by the workflow's own clock. */
export async function sleeper(duration: string | number): Promise<number> {
  const started = Date.now();
  await sleep(duration as number);
  return Date.now() - started;
}
