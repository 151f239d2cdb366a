import type { Client } from '@temporalio/client';
import type { Duration, Instant } from '../domain/clock.ts';
import { sameImageVersion } from '../domain/image.ts';
import type { EligibilityWarning } from '../domain/eligibility.ts';
import { scaleSetKey } from '../domain/scale-set.ts';
import type { Decision, HeldVersion, Order, QuarantinedInstance, Rollout } from '../ledger/port.ts';
import { parseScope } from '../domain/scopes.ts';
import { phaseRolloutId, regionRolloutId, workflowIdOf } from '../workflows/ids.ts';
import type { WorkflowStatus } from '../workflows/messages.ts';
import type { ClientContext } from './context.ts';
import { UsageError } from './errors.ts';
import { readSnapshot, type RolloutSnapshot, type Wait } from './view/index.ts';
import { askStatus, workflowState, type WorkflowState } from './workflow-state.ts';
import { currentRounds } from '../activities/workflows-in-scope.ts';

/** How a rollout stands: what the ledger says, and what its workflows say where they can be asked. */
export interface StatusReport {
  rollout: Rollout;
  snapshot: RolloutSnapshot;
  /** Everything that is waited for, with where; what comes first, first. */
  waitsFor: PlacedWait[];
  temporal: TemporalReport;
  /** Orders about it that are in force: pauses and cancels. */
  orders: Order[];
  decisions: Decision[];
  /** Instances of its sets whose restore failed: unhealthy, and untouched until they are repaired. */
  quarantined: QuarantinedInstance[];
  /** Its sets on which its version was reverted: it does not come there again by itself. */
  heldBack: HeldVersion[];
  /** What was warned of before the upgrades that run now began (rule C8). */
  warnings: SetWarning[];
  /** What is out of order, and what to do. */
  advice: string[];
}

export interface SetWarning extends EligibilityWarning {
  scaleSetId: string;
}

export interface PlacedWait extends Wait {
  /** `rollout`, `phase 2`, `eastus`, `eastus/web-1` */
  where: string;
  /** Virtual time left; null where no end is known. */
  remaining: Duration | null;
}

/** `noWorker`: Temporal is there, nobody works for it. `notAsked`: the rollout has ended. */
export type TemporalReport =
  | { kind: 'notAsked' }
  | { kind: 'unreachable'; message: string }
  | { kind: 'reached'; workflow: WorkflowState; worker: boolean | null; workflows: WorkflowReport[] };

export interface WorkflowReport extends WorkflowStatus {
  workflowId: string;
}

/** How many regions' workflows are asked: each asking costs a worker a replay at worst. */
const MOST_REGIONS_ASKED = 20;

/**
 * How a rollout stands, what it waits for and until when.
 * @throws UsageError when there is no such rollout
 */
export async function rolloutStatus(context: ClientContext, rolloutId: string): Promise<StatusReport> {
  const { ledger, fleet } = context;
  const rollout = await ledger.rollouts.get(rolloutId);
  if (rollout === null) throw new UsageError(`No rollout "${rolloutId}" is recorded.`);
  const temporal = await askTemporal(context, rollout);
  const workflowOpen = temporal.kind === 'reached' ? temporal.workflow === 'open' : null;
  const client = temporal.kind === 'reached' ? (await context.temporal()).client : undefined;
  const sources = { fleet, ledger, ...(client ? { client } : {}) };
  const snapshot = { ...(await readSnapshot(sources, rollout.id)), workflowOpen };
  return {
    rollout,
    snapshot,
    waitsFor: placedWaits(snapshot),
    temporal,
    orders: await ordersAbout(context, rollout),
    decisions: await ledger.phases.decisions(rollout.id),
    quarantined: await quarantinedIn(context, rollout),
    heldBack: await heldIn(context, rollout),
    warnings: await warningsIn(context, rollout),
    advice: [...adviceFor(rollout, temporal, snapshot), ...workersNeeded(snapshot)],
  };
}

/** All waits of a snapshot: of the rollout, of what of it is under way, in the order of their ends. */
export function placedWaits(snapshot: RolloutSnapshot): PlacedWait[] {
  const waits: PlacedWait[] = [];
  const add = (where: string, found: readonly Wait[]) => {
    for (const wait of found) waits.push({ where, ...wait, remaining: left(wait.until, snapshot.now) });
  };
  add('rollout', snapshot.waits);
  for (const phase of snapshot.phases) {
    for (const region of phase.regions) {
      add(region.name, region.waits);
      for (const set of region.sets) if (set.wait) add(`${region.name}/${set.name}`, [set.wait]);
    }
  }
  return waits.toSorted((a, b) => (a.until ?? -Infinity) - (b.until ?? -Infinity));
}

function left(until: Instant | null, now: Instant): Duration | null {
  return until === null ? null : Math.max(0, until - now);
}

async function askTemporal(context: ClientContext, rollout: Rollout): Promise<TemporalReport> {
  if (rollout.endedAt !== null) return { kind: 'notAsked' };
  try {
    const { client } = await context.temporal();
    const workflowId = workflowIdOf(rollout);
    const workflow = await workflowState(client, workflowId);
    if (workflow !== 'open') return { kind: 'reached', workflow, worker: null, workflows: [] };
    const answer = await askStatus(client, workflowId);
    const isWorking = answer.kind === 'status';
    const workflows = isWorking
      ? [{ workflowId, ...answer.status }, ...(await askLevels(context, client, rollout))]
      : [];
    return { kind: 'reached', workflow, worker: isWorking, workflows };
  } catch (error) {
    return { kind: 'unreachable', message: (error as Error).message };
  }
}

/** What the phase under way says, and its regions. */
async function askLevels(
  { ledger }: ClientContext,
  client: Client,
  rollout: Rollout,
): Promise<WorkflowReport[]> {
  const ids = currentRounds(await ledger.phases.list(rollout.id)).flatMap(({ phase, round }) => {
    const phaseId = phaseRolloutId(rollout.id, phase, round);
    const regions = rollout.phases[phase - 1]?.regions ?? [];
    return [
      phaseId,
      ...regions.slice(0, MOST_REGIONS_ASKED).map((region) => regionRolloutId(phaseId, region)),
    ];
  });
  const answers = await Promise.all(
    ids.map(async (workflowId) => {
      // A region that is done is closed, and says "done" for as long as Temporal keeps it.
      if ((await workflowState(client, workflowId)) !== 'open') return [];
      const answer = await askStatus(client, workflowId);
      return answer.kind === 'status' ? [{ workflowId, ...answer.status }] : [];
    }),
  );
  return answers.flat();
}

async function quarantinedIn({ ledger }: ClientContext, rollout: Rollout): Promise<QuarantinedInstance[]> {
  const all = await ledger.quarantine.list();
  if (all.length === 0) return [];
  const attempts = await ledger.attempts.listOf({ rolloutId: rollout.id });
  const sets = new Set(attempts.map((attempt) => scaleSetKey(attempt.scaleSetId)));
  return all.filter((instance) => sets.has(scaleSetKey(instance.scaleSetId)));
}

async function heldIn({ ledger }: ClientContext, { id: rolloutId, target }: Rollout): Promise<HeldVersion[]> {
  const held = (await ledger.heldVersions.list()).filter(({ version }) => sameImageVersion(version, target));
  if (held.length === 0) return [];
  const [targets, attempts] = await Promise.all([
    ledger.targets.list({ rolloutId }),
    ledger.attempts.listOf({ rolloutId }),
  ]);
  const sets = new Set([...targets, ...attempts].map(({ scaleSetId }) => scaleSetKey(scaleSetId)));
  return held.filter(({ scaleSetId }) => scaleSetId === null || sets.has(scaleSetKey(scaleSetId)));
}

async function warningsIn({ ledger }: ClientContext, { id }: Rollout): Promise<SetWarning[]> {
  const open = await ledger.attempts.listOpen({ rolloutId: id });
  return open.flatMap(({ scaleSetId, warnings }) => warnings.map((warning) => ({ scaleSetId, ...warning })));
}

async function ordersAbout({ ledger }: ClientContext, rollout: Rollout): Promise<Order[]> {
  const targets = rollout.kind === 'manual' ? [] : await ledger.targets.list({ rolloutId: rollout.id });
  const sets = new Set(targets.map((target) => target.scaleSetId.toLowerCase()));
  const isAbout = (order: Order): boolean => {
    const scope = parseScope(order.scope);
    if (scope === null || order.state === 'running') return false;
    if (scope.kind === 'all') return true;
    if (scope.kind === 'scaleSet') return sets.has(scope.scaleSetId);
    return scope.rolloutId.toLowerCase() === rollout.id.toLowerCase();
  };
  return (await ledger.orders.list()).filter(isAbout);
}

/** The command that goes on with a rollout whose workflow is gone. */
function restartOf({ kind, action }: Rollout): string {
  switch (action) {
    case 'osUpgrade':
      return kind === 'manual' ? 'rollouts start --scale-set' : 'rollouts start';
    case 'revert':
      return 'rollouts revert';
    case 'repair':
      return 'rollouts repair';
    default:
      return 'rollouts update-instances';
  }
}

function adviceFor(rollout: Rollout, temporal: TemporalReport, { waits }: RolloutSnapshot): string[] {
  if (temporal.kind === 'unreachable') return [temporal.message];
  if (temporal.kind !== 'reached') return [];
  const again = `\`${restartOf(rollout)}\``;
  if (temporal.workflow === 'missing') {
    return [
      `It is recorded, and Temporal knows no workflow of it: either it never began, or this is another server. ${again} begins it; \`rollouts cancel\` closes it.`,
    ];
  }
  if (temporal.workflow === 'closed') {
    return [
      `Its workflow was closed from outside (terminated in the Web UI?): nobody acts for it any more. ${again} goes on with what is left; \`rollouts cancel\` closes it.`,
    ];
  }
  const advice = temporal.worker === false ? ['No worker answers: start one by `npm run worker`.'] : [];
  const persons = waits.filter(({ kind }) => kind === 'decision' || kind === 'approval');
  return [...advice, ...persons.map(({ command }) => `It waits for a person: \`${command}\`.`)];
}

function workersNeeded({ phases }: RolloutSnapshot): string[] {
  return phases.flatMap(({ regions }) =>
    regions.flatMap(({ name, waits }) =>
      waits
        .filter(({ kind }) => kind === 'worker')
        .map(({ command }) => `No worker serves ${name}, so its VMs wait: start one by \`${command}\`.`),
    ),
  );
}
