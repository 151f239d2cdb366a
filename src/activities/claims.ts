import type { Claim, ClaimRequest } from '../domain/claims.ts';
import type { Instant } from '../domain/clock.ts';
import { imageKey, type ImageVersion } from '../domain/image.ts';
import type { Attempt } from '../ledger/port.ts';
import type { ActivityDependencies } from './context.ts';
import { windDownAttempt } from './wind-down.ts';

/** Zones of a region take turns for one update (rule D4). */
export function zoneGroup(region: string, target: ImageVersion): Pick<ClaimRequest, 'group' | 'rule'> {
  return { group: `zones/${region}/${imageKey(target.image)}@${target.version}`, rule: 'sameValueShares' };
}

/** Regions of a geo-pair never upgrade at the same time by automatic platform rollouts, whatever the image (rule D1). */
export const GEO_PAIRS: Pick<ClaimRequest, 'group' | 'rule'> = { group: 'geo-pairs', rule: 'listed' };

export interface ZoneAnswer {
  value: string | null;
  notBefore: Instant;
  waitingFor: string;
}

/** Asks for a zone. A holder in the way whose workflow is gone is not waited for in vain: see `removeDeadClaims`. */
export async function claimZone(
  deps: ActivityDependencies,
  request: ClaimRequest,
  at: Instant,
): Promise<ZoneAnswer> {
  let answer = await deps.ledger.claims.request(request, at);
  if (answer.value === null && (await removeDeadClaims(deps, answer.blockedBy, at))) {
    answer = await deps.ledger.claims.request(request, at);
  }
  const first = answer.blockedBy[0];
  const waitingFor = first
    ? `zone ${request.accepts.join(' or ')}: ${first.value === null ? 'asked for earlier' : `zone ${first.value} is being upgraded`} by ${first.workflowId}`
    : `zone ${request.accepts.join(' or ')}`;
  return { value: answer.value, notBefore: answer.notBefore, waitingFor };
}

/**
 * Deals with claims in the way that nobody acts for any more. A claim whose attempt is over, or that only waits and whose
 * workflow is gone, is removed. One of an open attempt whose workflow was terminated stays, since VMs may be half done:
 * that set's workflow is started again to finish them, and frees the claim then.
 * @returns true if any was removed
 */
async function removeDeadClaims(
  deps: ActivityDependencies,
  claims: readonly Claim[],
  at: Instant,
): Promise<boolean> {
  let removed = false;
  for (const claim of claims) {
    const attempt = await deps.ledger.attempts.get(claim.holder);
    const open = attempt?.status === 'RollingForward';
    if (open && (claim.value !== null || (await deps.workflows.isOpen(claim.workflowId)))) {
      if (!(await deps.workflows.isOpen(attempt.workflowId))) await windDownAttempt(deps, attempt);
      continue;
    }
    await deps.workflows.wake(await deps.ledger.claims.release(claim.group, claim.holder, at));
    removed = true;
  }
  return removed;
}

/** Gives up what an attempt holds or waits for, and wakes those that may go on now. */
export async function leaveZone(deps: ActivityDependencies, attemptId: string, at: Instant): Promise<void> {
  await deps.workflows.wake(await deps.ledger.claims.releaseAll(attemptId, at));
}

export interface RegionAnswer {
  notBefore: Instant;
  /** Who is waited for, or null when the region may upgrade. */
  waitingFor: string | null;
}

/** Asks for the right to upgrade VMs in a region of geo-pairs: held from the region's first batch to its last (rule D1). */
export async function claimRegion(
  deps: ActivityDependencies,
  rolloutId: string,
  workflowId: string,
  region: string,
  pairs: string[],
  at: Instant,
): Promise<RegionAnswer> {
  const holder = regionHolder(rolloutId, region);
  const request = { ...GEO_PAIRS, holder, workflowId, accepts: [region], excludes: { [region]: pairs } };
  let answer = await deps.ledger.claims.request(request, at);
  // An earlier rollout's claim of the same region is in nobody's way, but if its workflow was terminated it would stay.
  const sameRegion = (await deps.ledger.claims.list({ group: GEO_PAIRS.group })).filter(
    (claim) => claim.holder !== holder && claim.accepts.includes(region),
  );
  const removed = await removeDeadRegionClaims(deps, [...answer.blockedBy, ...sameRegion], at);
  if (answer.value === null && removed) answer = await deps.ledger.claims.request(request, at);
  const blocker = answer.blockedBy[0];
  if (answer.value !== null) return { notBefore: answer.notBefore, waitingFor: null };
  return {
    notBefore: answer.notBefore,
    waitingFor: `its geo-pair: ${blocker?.accepts[0] ?? pairs.join(', ')} is upgraded by ${blocker?.workflowId ?? 'another rollout'}`,
  };
}

export async function releaseRegion(
  deps: ActivityDependencies,
  rolloutId: string,
  region: string,
  at: Instant,
): Promise<void> {
  await deps.workflows.wake(
    await deps.ledger.claims.release(GEO_PAIRS.group, regionHolder(rolloutId, region), at),
  );
}

/** The region of a rollout holds, not one run of its workflow: a run that was terminated and started again keeps it. */
function regionHolder(rolloutId: string, region: string): string {
  return `${rolloutId}#${region}`;
}

/** A region's claim is dead when its workflow is gone and no attempt of its rollout is open there; open ones are wound down first. */
async function removeDeadRegionClaims(
  deps: ActivityDependencies,
  claims: readonly Claim[],
  at: Instant,
): Promise<boolean> {
  let removed = false;
  for (const claim of claims) {
    if (await deps.workflows.isOpen(claim.workflowId)) continue;
    const [rolloutId = '', region = ''] = claim.holder.split('#');
    const open = await openAttemptsIn(deps, rolloutId, region);
    for (const attempt of open) {
      if (!(await deps.workflows.isOpen(attempt.workflowId))) await windDownAttempt(deps, attempt);
    }
    if (open.length > 0) continue;
    await deps.workflows.wake(await deps.ledger.claims.release(claim.group, claim.holder, at));
    removed = true;
  }
  return removed;
}

async function openAttemptsIn(
  deps: ActivityDependencies,
  rolloutId: string,
  region: string,
): Promise<Attempt[]> {
  const open = await deps.ledger.attempts.listOpen({ rolloutId });
  return open.filter((attempt) => attempt.region === region);
}
