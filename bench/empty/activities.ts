import type { Activities } from '../../src/activities/index.ts';
import type { ScaleSetLook, ScaleSetLookInput } from '../../src/activities/types.ts';
import { planBatches, type BatchPlan } from '../../src/domain/batching.ts';
import { REAL_TIME } from '../../src/domain/clock.ts';
import { DEFAULT_ROLLING_POLICY } from '../../src/domain/policy.ts';
import { IMAGE, NEW_VERSION, setsOf, type Shape, type ShapedSet } from '../shape.ts';

/*
 * Activities that do nothing and answer at once, such that the workflows do what they do on a fleet of that shape in which
 * all goes well. What a rollout on these takes is Temporal's own time.
 */

const TARGET = { image: IMAGE, version: NEW_VERSION };
const UPDATE_DOMAINS = 5;
const NOTHING_PENDING = { pendingUntil: null, incomplete: false };
const NO_COUNTS = { waiting: 0, upgrading: 0, upgraded: 0, stopped: 0, skipped: 0 };

/** The id that a set of the shape has in these rollouts. */
export const emptySetId = ({ name }: ShapedSet) => `/empty/${name}`;

export function createEmptyActivities(shape: Shape): Activities {
  const sets = new Map(setsOf(shape).map((set) => [emptySetId(set), set]));
  const batches = new Map([...sets].map(([id, set]) => [id, batchesOf(set, shape)]));
  const next = new Map<string, number>();
  const begun = new Set<string>();
  const unused = async (): Promise<never> => {
    throw new Error('Nothing goes wrong in this rollout: this activity is never asked for.');
  };
  return {
    openPhase: async () => undefined,
    readOrder: async () => ({ state: 'running', reason: null }),
    startBake: async ({ at }) => ({ until: at }),
    judgePhase: async () => ({
      verdict: { eligible: shape.vms, succeeded: shape.vms, failed: 0, failures: [] },
      withinTolerance: true,
    }),
    setRolloutStatus: async () => undefined,
    lookAtImages: async () => ({ clock: REAL_TIME, start: [] }),
    lookAtRegion: async ({ region, mine }) => {
      const inRegion = [...sets].filter(([, set]) => set.region === region);
      const start = inRegion
        .filter(([id]) => !begun.has(id))
        .map(([scaleSetId, { name }]) => ({ scaleSetId, name }));
      for (const { scaleSetId } of start) begun.add(scaleSetId);
      return {
        start,
        counts: { ...NO_COUNTS, upgrading: mine.length + start.length },
        strangers: [],
        own: [],
        done: start.length + mine.length === 0,
        cancelled: null,
        waitingFor: 'the upgrades of its scale sets',
        nextAt: null,
      };
    },
    lookAtScaleSet: async (input) => {
      const number = (next.get(input.scaleSetId) ?? 0) + 1;
      next.set(input.scaleSetId, number);
      return look(input, number, batches.get(input.scaleSetId) ?? []);
    },
    swapOsDisks: async () => NOTHING_PENDING,
    configureInstances: async () => NOTHING_PENDING,
    checkHealth: async ({ instanceIds }) => ({
      healthy: instanceIds.length,
      nextLookAt: null,
      waiting: 0,
      toRestore: [],
      left: 0,
    }),
    restoreOsDisks: unused,
    closeBatch: unused,
    closeRollBack: unused,
    giveUpScaleSet: unused,
    recordDecision: unused,
    closeOrphanedRollout: unused,
  };
}

function batchesOf({ capacity }: ShapedSet, { zonal }: Shape): BatchPlan[] {
  const instances = Array.from({ length: capacity }, (_, i) => ({
    instanceId: String(i),
    zone: zonal ? String((i % 3) + 1) : null,
    updateDomain: (zonal ? Math.floor(i / 3) : i) % UPDATE_DOMAINS,
    healthy: true,
  }));
  return planBatches({ candidates: instances, instanceCount: capacity, policy: DEFAULT_ROLLING_POLICY });
}

function look(
  { rolloutId, scaleSetId }: ScaleSetLookInput,
  number: number,
  batches: readonly BatchPlan[],
): ScaleSetLook {
  const batch = batches[number - 1];
  const left = batches.slice(number - 1).reduce((sum, { instanceIds }) => sum + instanceIds.length, 0);
  const all = batches.reduce((sum, { instanceIds }) => sum + instanceIds.length, 0);
  const inProgress = batch?.instanceIds.length ?? 0;
  const base = {
    attempt: { id: `${scaleSetId}-1`, fence: 1, number: 1 },
    progress: {
      successfulInstanceCount: all - left,
      failedInstanceCount: 0,
      inProgressInstanceCount: inProgress,
      pendingInstanceCount: left - inProgress,
    },
  };
  if (batch === undefined)
    return { ...base, kind: 'finished', status: 'Completed', reason: null, foreign: false };
  return {
    ...base,
    ...batch,
    kind: 'batch',
    batch: number,
    action: 'swap',
    rolloutId,
    target: TARGET,
    restoresOnFailure: true,
  };
}
