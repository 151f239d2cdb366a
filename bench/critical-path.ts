import { SECOND, type Duration, type Instant } from '../src/domain/clock.ts';
import { planRollout } from '../src/client/index.ts';
import { imageLabel } from '../src/domain/image.ts';
import { groupBy } from '../src/ledger/rows.ts';
import type { Ledger, RecordedEntry } from '../src/ledger/port.ts';
import { endWorlds, rolloutWorld, startRollout } from '../test/support/rollout.ts';
import { timeSkippingEnvironment } from '../test/support/temporal.ts';
import { fleetSpecOf, IMAGE, NEW_VERSION, type Shape } from './shape.ts';

export interface CriticalPathFigures {
  /** Virtual seconds from the start of the rollout until its end. */
  actualSeconds: number;
  /** Virtual seconds of the waits that follow each other and that nothing can shorten. */
  criticalSeconds: number;
  /** What the rollout took longer, as a share of the critical path. */
  overhead: number;
}

const unused = () => Promise.reject(new Error('Planning asks nothing of Temporal.'));

/** How long things take on a usual fleet; see `src/fleet/simulated/behaviour.ts`. */
const USUAL = {};

/**
 * A rollout with every default (triggers, health waits, bake times) under time skipping, beside the sum of the waits that it
 * consists of: what a person could not have gone faster.
 */
export async function criticalPath(shape: Shape): Promise<CriticalPathFigures> {
  const env = await timeSkippingEnvironment();
  try {
    const { scaleSets = [], ...fleetSpec } = fleetSpecOf(shape);
    const world = await rolloutWorld(env, scaleSets, { ...fleetSpec, behaviour: USUAL });
    const { ledger } = world;
    const image = imageLabel(IMAGE);
    const plan = await planRollout({ ...world, temporal: unused }, { image, version: NEW_VERSION });
    const phases = plan.phases.map(({ name, regionPlans }) => ({
      name,
      regions: regionPlans.map((region) => region.name),
    }));
    const { rolloutId } = plan;
    await world.worker.runUntil(async () => {
      const handle = await startRollout(world, { target: plan.target, phases });
      await handle.result();
    });
    const rollout = await ledger.rollouts.get(rolloutId);
    if (rollout?.status !== 'Completed' || rollout.endedAt === null)
      throw new Error(`The rollout ended as ${rollout?.status}: there is no critical path to compare with.`);
    const actual = rollout.endedAt - rollout.startedAt;
    const critical = await sumOfWaits(ledger, rolloutId, rollout.settings.bakeTime);
    return {
      actualSeconds: actual / SECOND,
      criticalSeconds: critical / SECOND,
      overhead: actual / critical - 1,
    };
  } finally {
    await endWorlds();
    await env.teardown();
  }
}

/** Phase after phase: its slowest set from the trigger on, and the bake time. */
async function sumOfWaits(ledger: Ledger, rolloutId: string, bakeTime: Duration): Promise<Duration> {
  const entries = await ledger.journal.read({ rolloutId });
  const bySet = groupedBy(entries, ({ scaleSetId }) => scaleSetId);
  const slowest = new Map<number, Duration>();
  for (const target of await ledger.targets.list({ rolloutId })) {
    const waits = target.triggerAt - target.seenAt + waitsOfSet(bySet.get(target.scaleSetId) ?? []);
    slowest.set(target.phase, Math.max(slowest.get(target.phase) ?? 0, waits));
  }
  return [...slowest.values()].reduce((sum, longest) => sum + longest + bakeTime, 0);
}

/** Batch after batch, of each its slowest instance. */
function waitsOfSet(entries: readonly RecordedEntry[]): Duration {
  const byInstance = groupedBy(entries, ({ instanceId }) => instanceId);
  const batches = entries.filter(({ operation, event }) => operation === 'batch' && event === 'started');
  return batches.reduce((sum, { observed }) => {
    const members = observed?.members ?? [];
    return sum + Math.max(...members.map((id) => waitsOfInstance(byInstance.get(id) ?? [])));
  }, 0);
}

const STEPS = ['osDisk.swap', 'model.apply', 'extension.run', 'health.wait'];

/** The time in which something was done to it or waited for, without what passed between two steps. */
function waitsOfInstance(entries: readonly RecordedEntry[]): Duration {
  const began = new Map<string, Instant>();
  let sum = 0;
  for (const { operation, event, detail, at } of entries) {
    if (!STEPS.includes(operation)) continue;
    const key = `${operation} ${detail}`;
    if (event === 'started') began.set(key, at);
    else sum += at - (began.get(key) ?? at);
  }
  return sum;
}

function groupedBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  return new Map(groupBy(items, key).map((group) => [key(group[0]), group]));
}
