import type { Client } from '@temporalio/client';
import type { Rollout } from '../../ledger/port.ts';
import { serveCommand, unservedRegions } from '../unserved.ts';
import { workflowState } from '../workflow-state.ts';
import { workflowIdOf } from '../../workflows/ids.ts';
import type { PhaseView } from './types.ts';
import { waitFor } from './waits.ts';

/** What of a snapshot only Temporal can tell. */
export interface TemporalProbe {
  /** Null when nobody was asked or Temporal did not answer: the ledger's word counts then. */
  isWorkflowOpen(rollout: Rollout): Promise<boolean | null>;
  /** The phases, in which every region under way that no worker serves waits for one. */
  withUnserved(rollout: Rollout, phases: PhaseView[]): Promise<PhaseView[]>;
}

/** @param client without one nothing is asked */
export function temporalProbe(client: Client | undefined): TemporalProbe {
  const isOpen = nowAndThen((rollout: Rollout) => isWorkflowOpen(client, rollout));
  const unserved = nowAndThen(async (rollout: Rollout, regions: readonly string[]) =>
    client ? unservedRegions(client, rollout, regions) : [],
  );
  return {
    isWorkflowOpen: isOpen,
    withUnserved: async (rollout, phases) => {
      const running = phases.flatMap(({ regions }) => regions.filter(({ state }) => state === 'running'));
      if (rollout.endedAt !== null || running.length === 0) return phases;
      const names = new Set(
        await unserved(
          rollout,
          running.map(({ name }) => name),
        ),
      );
      return phases.map((phase) => ({
        ...phase,
        regions: phase.regions.map((region) => {
          const isWaiting = region.state === 'running' && names.has(region.name);
          return isWaiting ? { ...region, waits: [workerWait(region.name), ...region.waits] } : region;
        }),
      }));
    },
  };
}

function workerWait(region: string) {
  return waitFor('worker', 'a worker: none serves this region', { command: serveCommand(region) });
}

/** News for seconds: who looks four times a second need not ask the server as often. */
const ASK_EVERY_MS = 2_000;

function nowAndThen<Input extends unknown[], Answer>(
  ask: (...input: Input) => Promise<Answer>,
): (...input: Input) => Promise<Answer> {
  let last: { at: number; answer: Answer } | null = null;
  return async (...input) => {
    if (last === null || Date.now() - last.at >= ASK_EVERY_MS) {
      last = { at: Date.now(), answer: await ask(...input) };
    }
    return last.answer;
  };
}

async function isWorkflowOpen(client: Client | undefined, rollout: Rollout): Promise<boolean | null> {
  if (rollout.endedAt !== null) return false;
  if (!client) return null;
  return workflowState(client, workflowIdOf(rollout)).then(
    (state) => state === 'open',
    () => null,
  );
}
