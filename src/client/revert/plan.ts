import { imageLabel, sameImageVersion, type ImageVersion } from '../../domain/image.ts';
import { isSteadilyHealthy } from '../../domain/health.ts';
import { DEFAULT_SETTINGS, policyInForce } from '../../domain/policy.ts';
import type { RollingUpgradePolicy, ScaleSet } from '../../domain/scale-set.ts';
import type { ClientContext } from '../context.ts';
import { leftAlone, leftAloneNotes, reachOf } from '../reach.ts';

/** What a revert would do to a set. */
export interface SetRevertPlan {
  scaleSetId: string;
  name: string;
  region: string;
  /** How many instances go back, by the version that they go back to. */
  goesBack: { version: string; instances: number }[];
  /** Instances on the version that is undone whose earlier image nobody recorded: they are left. */
  noEarlierImage: string[];
  /** What else is left alone, and what stands in the way. */
  notes: string[];
}

/** What a revert would do: before it begins, and for `--dry-run`. */
export interface RevertPlan {
  /** The version that is undone. */
  undone: ImageVersion;
  image: string;
  version: string;
  scaleSets: SetRevertPlan[];
  /** Instances that go back. */
  instances: number;
  /** Instances that stay on the version since no earlier image is on record. */
  left: number;
}

/** Looks at sets as a revert of `undone` would. Changes nothing. */
export async function planRevert(
  context: ClientContext,
  scaleSets: readonly ScaleSet[],
  undone: ImageVersion,
  policy: Partial<RollingUpgradePolicy> = {},
): Promise<RevertPlan> {
  const plans: SetRevertPlan[] = [];
  for (const scaleSet of scaleSets) plans.push(await planSet(context, scaleSet, undone, policy));
  const concerned = plans.filter((plan) => plan.goesBack.length + plan.noEarlierImage.length > 0);
  return {
    undone,
    image: imageLabel(undone.image),
    version: undone.version,
    scaleSets: concerned,
    instances: concerned.flatMap((plan) => plan.goesBack).reduce((sum, { instances }) => sum + instances, 0),
    left: concerned.reduce((sum, plan) => sum + plan.noEarlierImage.length, 0),
  };
}

async function planSet(
  context: ClientContext,
  scaleSet: ScaleSet,
  undone: ImageVersion,
  policy: Partial<RollingUpgradePolicy>,
): Promise<SetRevertPlan> {
  const reach = await reachOf(context, scaleSet, { action: 'revert', target: undone, parameters: {} });
  const counts = new Map<string, number>();
  for (const { destination } of reach.acts) {
    const { version } = destination.version;
    counts.set(version, (counts.get(version) ?? 0) + 1);
  }
  const haveWayBack = new Set([...reach.acts.map((one) => one.instanceId), ...leftAlone(reach)]);
  const runsUndone = reach.instances.filter(
    ({ osDisk }) => osDisk !== null && sameImageVersion(osDisk.source, undone),
  );
  const { id: scaleSetId, name, region } = scaleSet;
  const unhealthy = reach.instances.filter(
    (instance) =>
      !isSteadilyHealthy(instance, DEFAULT_SETTINGS.healthyReadings) ||
      reach.goal.quarantined.has(instance.instanceId),
  ).length;
  return {
    scaleSetId,
    name,
    region,
    goesBack: [...counts].map(([version, instances]) => ({ version, instances })),
    noEarlierImage: runsUndone.map((one) => one.instanceId).filter((id) => !haveWayBack.has(id)),
    notes: [
      ...leftAloneNotes(reach),
      ...thresholdNote(unhealthy, reach.instances.length, policyInForce(scaleSet, policy ?? {})),
    ],
  };
}

/** A version that made a set ill is what one wants to revert, and rule B1 would not let it begin. */
function thresholdNote(
  unhealthy: number,
  instances: number,
  { maxUnhealthyInstancePercent: limit }: RollingUpgradePolicy,
): string[] {
  if (unhealthy * 100 <= instances * limit) return [];
  const percent = Math.ceil((unhealthy * 100) / instances);
  return [
    `${unhealthy} of ${instances} instances are unhealthy, more than ${limit} %: it will not begin (rule B1). ` +
      `Give --max-unhealthy-instance-percent ${Math.max(5, percent)} or more.`,
  ];
}
