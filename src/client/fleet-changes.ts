import type { Instant } from '../domain/clock.ts';
import { problemOf } from '../domain/surroundings.ts';
import { resourceUrl, type InstanceChange, type SimulatedFleet } from '../fleet/index.ts';
import { currentInstant, type ClientContext } from './context.ts';
import { UsageError } from './errors.ts';
import { findScaleSet } from './find.ts';
import { instantOf } from './fleet-setup.ts';

/** What people do to a simulated fleet beside upgrades. */
interface FleetChangeContext extends ClientContext {
  fleet: SimulatedFleet;
}

export interface ChangedInstances {
  scaleSetId: string;
  name: string;
  instanceIds: string[];
}

/**
 * Protects instances from every upgrade, or stops and starts them.
 * @throws UsageError that lists the instances that are not there, and then nothing was done
 */
export async function changeInstances(
  context: FleetChangeContext,
  id: string,
  instanceIds: readonly string[],
  change: InstanceChange,
): Promise<ChangedInstances> {
  const scaleSet = await findScaleSet(context, id);
  const at = await currentInstant(context);
  const instances = await context.fleet.instances(scaleSet.id, at);
  const wanted = [...new Set(instanceIds)];
  requireInstances(scaleSet, instances, wanted);
  await context.fleet.changeInstances(scaleSet.id, wanted, change, at);
  return { scaleSetId: scaleSet.id, name: scaleSet.name, instanceIds: wanted };
}

/** @throws UsageError that lists those that the set does not have */
export function requireInstances(
  { name, region }: { name: string; region: string },
  instances: readonly { instanceId: string }[],
  wanted: readonly string[],
): void {
  const there = new Set(instances.map((instance) => instance.instanceId));
  const unknown = wanted.filter((id) => !there.has(id));
  if (unknown.length === 0) return;
  throw new UsageError(
    `${name} in ${region} has no instance ${unknown.join(', ')}. Nothing was done. ` +
      `\`rollouts fleet show --scale-set ${name} --instances\` lists its instances.`,
  );
}

export interface RenewRequest {
  /** Of one resource; what follows `?` does not count. */
  url?: string | undefined;
  /** Every resource whose credential has expired, or that is gone. */
  allExpired?: boolean | undefined;
  /** Virtual time in ISO 8601; for ever if absent. */
  until?: string | undefined;
}

export interface RenewedResource {
  url: string;
  /** How it was until now. */
  was: 'ok' | 'expired' | 'gone';
  /** Until when its credential opens it now; null for ever. */
  until: Instant | null;
}

/**
 * Renews the credential of an external resource, and puts it back where it was gone: the first step out of rule B11.
 * @throws UsageError for one that is not known, which names those that are
 */
export async function renewResources(
  context: FleetChangeContext,
  { url, allExpired = false, until }: RenewRequest,
): Promise<RenewedResource[]> {
  if ((url === undefined) !== allExpired)
    throw new UsageError('Give the URL of a resource, or --all-expired.');
  const now = await currentInstant(context);
  const credentialExpiresAt = until === undefined ? null : instantOf('--until', until);
  if (credentialExpiresAt !== null && credentialExpiresAt <= now) {
    throw new UsageError(`--until is ${until}, which is past by the fleet's clock. Give a later time.`);
  }
  const known = (await context.fleet.externalResources()).map((resource) => ({
    url: resource.url,
    was: problemOf(resource, now)?.problem ?? ('ok' as const),
  }));
  const key = url === undefined ? null : resourceUrl(url);
  const chosen = known.filter((resource) => (key === null ? resource.was !== 'ok' : resource.url === key));
  if (key !== null && chosen.length === 0) {
    const list = known.map((resource) => `\n  ${resource.url} (${resource.was})`).join('');
    throw new UsageError(`The fleet has no external resource ${key}. It has:${list || ' none'}`);
  }
  for (const resource of chosen) {
    await context.fleet.putExternalResource({ url: resource.url, credentialExpiresAt, goneAt: null });
  }
  return chosen.map((resource) => ({ ...resource, until: credentialExpiresAt }));
}
