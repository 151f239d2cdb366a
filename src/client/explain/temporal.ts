import type { Client } from '@temporalio/client';
import { phaseRolloutId, regionRolloutId, scaleSetRolloutId, workflowIdOf } from '../../workflows/ids.ts';
import type { ClientContext } from '../context.ts';
import { unservedRegions } from '../unserved.ts';
import { askStatus, workflowState } from '../workflow-state.ts';
import { currentRounds } from '../../activities/workflows-in-scope.ts';
import type { Facts } from './facts.ts';
import type { TemporalWord } from './types.ts';

/**
 * What the workflow that acts for the set says. Nobody is asked where none can act, and an explanation stands without the
 * answer: fleet and ledger tell all that is decided.
 */
export async function askActing(context: ClientContext, facts: Facts): Promise<TemporalWord> {
  const workflowId = actingWorkflow(facts);
  if (workflowId === null) return { kind: 'notAsked' };
  try {
    const { client } = await context.temporal();
    const state = await workflowState(client, workflowId);
    const answer = state === 'open' ? await askStatus(client, workflowId) : null;
    const status = answer?.kind === 'status' ? answer.status : null;
    const { doing = null, waitingFor = null } = status ?? {};
    const isUnserved = await waitsForWorker(client, facts);
    return { kind: 'reached', workflowId, state, doing, waitingFor, isUnserved };
  } catch (error) {
    return { kind: 'unreachable', message: (error as Error).message };
  }
}

async function waitsForWorker(client: Client, { open, scaleSet }: Facts): Promise<boolean> {
  if (!open?.rollout) return false;
  return (await unservedRegions(client, open.rollout, [scaleSet.region])).length > 0;
}

/** The set's own while something is done to it; its region's while that has its turn; else the rollout's. */
function actingWorkflow({ open, begun, course, scaleSet }: Facts): string | null {
  if (open !== null) return open.attempt.workflowId;
  if (begun !== null) return workflowIdOf(begun);
  if (course === null || course.rollout.endedAt !== null) return null;
  const { rollout, records, phase, target } = course;
  if (target?.status === 'upgrading') return scaleSetRolloutId(scaleSet.id);
  if (target !== null && target.status !== 'waiting') return rollout.id;
  const round = currentRounds(records).find((record) => record.phase === phase && record.bakeUntil === null);
  if (round === undefined) return rollout.id;
  return regionRolloutId(phaseRolloutId(rollout.id, round.phase, round.round), scaleSet.region);
}
