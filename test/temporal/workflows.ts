import { sleep, upsertSearchAttributes } from '@temporalio/workflow';
import { searchAttributes } from '../../src/temporal/search-attributes.ts';

/** Sleeps, and says for how many milliseconds it slept by the workflow's own clock. */
export async function sleeper(milliseconds: number): Promise<number> {
  const started = Date.now();
  await sleep(milliseconds);
  return Date.now() - started;
}

/** Uses every search attribute: one that the server does not know would fail the task for ever. */
export async function attributed(): Promise<void> {
  upsertSearchAttributes([
    { key: searchAttributes.image, value: 'jammy' },
    { key: searchAttributes.imageVersion, value: '22.04.202401010' },
    { key: searchAttributes.scaleSet, value: '/subscriptions/s/web' },
    { key: searchAttributes.region, value: 'westeurope' },
    { key: searchAttributes.phase, value: 2 },
    { key: searchAttributes.status, value: 'running' },
  ]);
}
