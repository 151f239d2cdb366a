import { isoTime } from '../domain/clock.ts';
import {
  ALL,
  phaseScope,
  regionScope,
  rolloutScope,
  scaleSetScope,
  scopesOf,
  type Scope,
} from '../domain/scopes.ts';
import type { Order, OrderedState, Rollout } from '../ledger/port.ts';
import { workflowDirectory } from '../temporal/workflow-directory.ts';
import { currentInstant, currentUser, type ClientContext } from './context.ts';
import { ClientError, conflict, UsageError } from './errors.ts';
import { resumeCommand } from './give.ts';
import { unendedRollouts, workflowsIn } from '../activities/workflows-in-scope.ts';
import { workflowState } from './workflow-state.ts';
import { workflowIdOf } from '../workflows/ids.ts';

export interface OrderRequest {
  scope: Scope;
  state: OrderedState;
  why: string;
  /** The user at the terminal if absent. */
  who?: string | undefined;
}

export interface GivenOrder {
  order: Order;
  /** The workflows that were told to look at once. */
  woken: string[];
  /** Rollouts without a workflow that could see the order: the ledger itself was told that they are cancelled. */
  closed: string[];
  /** What a person should know: a wider order that still stands, that this one does, a server that was not reached. */
  notes: string[];
}

const VERBS: Record<OrderedState, string> = { running: 'resume', paused: 'pause', cancelled: 'cancel' };

/**
 * Records a person's order and wakes all workflows that it concerns. The order stands as soon as it is recorded: a
 * workflow that was not reached sees it at its next look.
 * @throws UsageError for a phase or region that the rollout does not have
 * @throws ClientError `Closed` when the rollout has ended, `Conflict` when it was cancelled for good
 */
export async function giveOrder(context: ClientContext, request: OrderRequest): Promise<GivenOrder> {
  const { ledger } = context;
  const { scope, state } = request;
  const { who = currentUser() } = request;
  const why = request.why.trim();
  if (why === '') throw new UsageError('Say why: the reason is recorded for good, and others will read it.');
  await check(context, scope, state);
  const order: Order = { scope: scopeText(scope), state, who, why, at: await currentInstant(context) };
  await ledger.orders.set(order);
  const given: GivenOrder = { order, woken: [], closed: [], notes: [] };
  given.notes.push(...(await widerOrder(context, scope, order)), ...standingNotes(scope, order));
  try {
    const { client } = await context.temporal();
    const workflows = await workflowsIn(ledger, scope);
    await workflowDirectory(client).wake(workflows);
    given.woken.push(...workflows);
    if (state === 'cancelled') given.closed.push(...(await closeAbandoned(context, scope, order)));
  } catch (error) {
    given.notes.push(
      `The order stands and takes effect at the next look of each workflow; none could be woken: ${(error as Error).message}`,
    );
  }
  return given;
}

/** The text that the ledger knows a scope by. */
export function scopeText(scope: Scope): string {
  switch (scope.kind) {
    case 'all':
      return ALL;
    case 'rollout':
      return rolloutScope(scope.rolloutId);
    case 'phase':
      return phaseScope(scope.rolloutId, scope.phase);
    case 'region':
      return regionScope(scope.rolloutId, scope.region);
    case 'scaleSet':
      return scaleSetScope(scope.scaleSetId);
  }
}

async function check({ ledger }: ClientContext, scope: Scope, state: OrderedState): Promise<void> {
  if (scope.kind === 'all' || scope.kind === 'scaleSet') return;
  const rollout = await ledger.rollouts.get(scope.rolloutId);
  if (rollout === null) throw new UsageError(`No rollout "${scope.rolloutId}" is recorded.`);
  checkPart(rollout, scope);
  if (rollout.endedAt !== null) {
    throw new ClientError(
      'Closed',
      `There is nothing to ${VERBS[state]}: ${rollout.id} ended at ${isoTime(rollout.endedAt)} (${rollout.status}).`,
      { rolloutId: rollout.id },
    );
  }
  const [standing] = await ledger.orders.list({ scope: scopeText(scope) });
  if ((standing?.state === 'cancelled' && state !== 'cancelled') || standing?.state === 'superseded') {
    throw conflict(
      `${standing.who} ${standing.state} this at ${isoTime(standing.at)}: ${standing.why.replace(/\.$/, '')}. What has ended stays so; start a new rollout instead.`,
      rollout.id,
    );
  }
}

function checkPart(rollout: Rollout, scope: Extract<Scope, { rolloutId: string }>): void {
  const { phases } = rollout;
  if (scope.kind === 'phase' && (scope.phase < 1 || scope.phase > phases.length)) {
    throw new UsageError(`${rollout.id} has no phase ${scope.phase}: give 1 to ${phases.length}.`);
  }
  const regions = phases.flatMap((phase) => phase.regions);
  if (scope.kind === 'region' && !regions.includes(scope.region)) {
    throw new UsageError(`${rollout.id} has no region "${scope.region}". It has ${regions.join(', ')}.`);
  }
}

/** What stands is not forgotten, if it is said when it is given. */
function standingNotes({ kind }: Scope, { scope, state }: Order): string[] {
  if (state !== 'cancelled' || (kind !== 'all' && kind !== 'scaleSet')) return [];
  return [`It stands for whatever comes later too, until \`${resumeCommand(scope)}\`.`];
}

/** A stronger order of a wider scope outlives this one. */
async function widerOrder({ ledger }: ClientContext, scope: Scope, order: Order): Promise<string[]> {
  const wider =
    scope.kind === 'all'
      ? []
      : scope.kind === 'scaleSet'
        ? [ALL]
        : scopesOf({ rolloutId: scope.rolloutId }).filter((each) => each !== order.scope);
  const above = await ledger.orders.inForce(wider);
  const isStronger =
    above !== null && above.state !== 'running' && above.state !== order.state && order.state !== 'cancelled';
  if (!isStronger) return [];
  const what = above.scope === ALL ? 'everything' : 'the whole rollout';
  return [`${above.who} ${above.state} ${what} at ${isoTime(above.at)} (${above.why}): that still holds.`];
}

/** A cancelled rollout whose workflow is gone, or never began, has nobody who would mark it so. */
async function closeAbandoned(context: ClientContext, scope: Scope, order: Order): Promise<string[]> {
  const { ledger } = context;
  if (scope.kind !== 'all' && scope.kind !== 'rollout') return [];
  const { client } = await context.temporal();
  const closed: string[] = [];
  for (const rollout of await unendedRollouts(ledger)) {
    if (scope.kind === 'rollout' && rollout.id !== scope.rolloutId) continue;
    if ((await workflowState(client, workflowIdOf(rollout))) === 'open') continue;
    const reason = { code: 'Cancelled', message: `Cancelled by ${order.who}: ${order.why}` };
    await ledger.rollouts.setStatus(rollout.id, 'Cancelled', order.at, reason);
    closed.push(rollout.id);
  }
  return closed;
}
