import type { Instant } from '../domain/clock.ts';
import { eligibility, type Eligibility } from '../domain/eligibility.ts';
import { sameImageVersion, type ImageVersion } from '../domain/image.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import { scaleSetScope } from '../domain/scopes.ts';
import type { ImageOffer } from '../fleet/port.ts';
import type { Reason } from '../ledger/port.ts';
import type { ActivityDependencies } from './context.ts';

/**
 * Whether a set may be upgraded to the target at a moment, by its model, by what its region offers, by what is around it
 * (rules C1 to C8), and by what people have reverted on it or ordered. Every way to an upgrade asks here: plans, regions, a
 * person's start, and a set in mid-rollout.
 * @param automatic false for a manual start (rules C1, D8)
 * @param offers what the set's region offers of the target's image, where that has been read already
 */
export async function eligibilityOf(
  { fleet, ledger }: Pick<ActivityDependencies, 'fleet' | 'ledger'>,
  scaleSet: ScaleSet,
  target: ImageVersion,
  at: Instant,
  { automatic, offers }: { automatic: boolean; offers?: readonly ImageOffer[] },
): Promise<Eligibility> {
  const [surroundings, offered, held, order] = await Promise.all([
    fleet.surroundings(scaleSet, at),
    offers ?? fleet.imageOffers(target.image, scaleSet.region, at),
    ledger.heldVersions.list({ scaleSetId: scaleSet.id }),
    ledger.orders.inForce([scaleSetScope(scaleSet.id)]),
  ]);
  const offer = offered.find((one) => one.version === target.version);
  const facts = {
    ...surroundings,
    regionOffersVersion: offer !== undefined,
    excludedFromLatest: offer?.excludedFromLatest ?? false,
    heldBack: held.find(({ version }) => sameImageVersion(version, target)) ?? null,
    cancelled: order?.state === 'cancelled' ? order : null,
  };
  return eligibility(scaleSet, target, facts, { automatic });
}

/** All that is against a set as one reason, as records keep it; null when it is eligible. */
export function reasonAgainst({ reasons }: Pick<Eligibility, 'reasons'>): Reason | null {
  if (reasons.length === 0) return null;
  return {
    code: reasons.map((reason) => reason.code).join(','),
    message: reasons.map((reason) => `${reason.message} ${reason.fix}`).join(' '),
  };
}
