import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { giveOrder, startRollout, type ClientContext } from '../src/client/index.ts';
import { imageLabel } from '../src/domain/image.ts';
import { scaleSetRolloutId } from '../src/workflows/ids.ts';
import { testSetId } from '../test/support/fleet.ts';
import { onFleet } from './on-fleet.ts';
import type { RolloutFigures } from './rollout.ts';
import { SETTINGS } from './settings.ts';
import { IMAGE, NEW_VERSION, setsOf, unpairedRegions, type Shape } from './shape.ts';
import { openStage } from './stage.ts';

/** A region of very many sets, by the longest history of each kind of workflow. */
export interface LargeRegionFigures extends RolloutFigures {
  largestByWorkflow: Record<string, number>;
}

const NAMESPACE = 'region';
const LOOK_EVERY_MS = 250;
/** For each set of the other region so many are in the large one. */
const SHARE = 99;

/**
 * A region of many sets of one VM each on a server in memory, without any wait. One of them is paused all along, until nothing else
 * is left; a set of another region is terminated by hand in the middle. What it proves: no history grows with the region.
 */
export async function largeRegion(sets: number): Promise<LargeRegionFigures> {
  const [large, small] = unpairedRegions(2) as [string, string];
  const regions = [...Array<string>(SHARE).fill(large), small];
  const shape: Shape = { vms: sets + Math.ceil(sets / SHARE), setSize: 1, zonal: false, regions };
  const stage = await openStage([NAMESPACE], { inMemory: true });
  try {
    const figures = await onFleet(stage, NAMESPACE, shape, {
      worker: '../src/worker.ts',
      countActions: false,
      start: (connected, stores) => carryOut({ ...stores, temporal: async () => connected }, shape),
    });
    const { client } = stage.connected(NAMESPACE);
    return { ...figures, largestByWorkflow: await largestByWorkflow(client) };
  } finally {
    await stage.stop();
  }
}

async function carryOut(context: ClientContext, shape: Shape): Promise<void> {
  const { client } = await context.temporal();
  const regions = [...new Set(shape.regions)];
  const [first] = setsOf(shape);
  if (first === undefined) throw new Error('There is no set.');
  const paused = { kind: 'scaleSet' as const, scaleSetId: testSetId(first.name) };
  const said = { who: 'bench', why: 'all along' };
  await giveOrder(context, { scope: paused, state: 'paused', ...said });
  const { workflowId, rolloutId } = await startRollout(context, {
    image: imageLabel(IMAGE),
    version: NEW_VERSION,
    phases: [{ name: 'all', regions }],
    settings: SETTINGS,
    who: 'bench',
  });
  await terminateOne(client, context, { rolloutId, region: regions[1] ?? '' });
  const rest = async () => {
    const open = await context.ledger.targets.list({ rolloutId, status: ['waiting', 'upgrading'] });
    const known = await context.ledger.targets.list({ rolloutId });
    return known.length === shape.vms && open.length === 1;
  };
  while (!(await rest())) await delay(LOOK_EVERY_MS * 8);
  await giveOrder(context, { scope: paused, state: 'running', ...said });
  await client.workflow.getHandle(workflowId).result();
}

/** Terminates the workflow of a set of that region in the middle of its upgrade. */
async function terminateOne(
  client: Client,
  { ledger }: ClientContext,
  { rolloutId, region }: { rolloutId: string; region: string },
): Promise<void> {
  for (;;) {
    const open = await ledger.attempts.listOpen({ rolloutId });
    for (const { scaleSetId } of open.filter((attempt) => attempt.region === region)) {
      const handle = client.workflow.getHandle(scaleSetRolloutId(scaleSetId));
      // It may have ended since.
      if (
        await handle.terminate('by hand').then(
          () => true,
          () => false,
        )
      )
        return;
    }
    await delay(LOOK_EVERY_MS);
  }
}

async function largestByWorkflow(client: Client): Promise<Record<string, number>> {
  const largest: Record<string, number> = {};
  for await (const { type, historyLength } of client.workflow.list()) {
    largest[type] = Math.max(largest[type] ?? 0, historyLength);
  }
  return largest;
}
