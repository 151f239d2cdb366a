import type { Instant } from '../domain/clock.ts';
import { isApplicationHealthExtension } from '../domain/extensions.ts';
import type { ImageReference } from '../domain/image.ts';
import { DEFAULT_ROLLING_POLICY, policyViolations } from '../domain/policy.ts';
import { type Extension, type ScaleSet, type UpgradePolicy } from '../domain/scale-set.ts';
import { normaliseRegionName } from '../domain/region.ts';
import { extensionOrder } from './extension-order.ts';
import { readHealthExtension } from './health-extension.ts';
import { ModelError, type ModelIssue } from './model-error.ts';
import { issuesOf, wireModelSchema, type WireExtension, type WireModel } from './model-schema.ts';
import { resourceUrl, urlsIn } from './resource-url.ts';
import { readServiceFabric } from './service-fabric.ts';
import { isJsonObject, type Json } from './wire-shape.ts';

/** What a model does not say of itself. */
export interface ModelContext {
  /** The ARM id, where the model has none. */
  id?: string;
  /** The Compute API version with which it is written (rule C7). */
  apiVersion: string;
  /** When it is written. */
  at: Instant;
  /** As the set was before, if it was. */
  previous?: ScaleSet;
}

/** A tag of ours on a Windows set, `"true"`: its boot script keeps the drive letters of data disks (rule B4). */
export const KEEP_DRIVE_LETTERS_TAG = 'keepDriveLetters';

const SCALE_SET_ID =
  /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Compute\/virtualMachineScaleSets\/([^/]+)$/i;

/** The parts of a scale set's ARM id, or null. */
export function parseScaleSetId(
  id: string,
): { subscriptionId: string; resourceGroup: string; name: string } | null {
  const match = SCALE_SET_ID.exec(id);
  if (match === null) return null;
  const [, subscriptionId, resourceGroup, name] = match as unknown as [string, string, string, string];
  return { subscriptionId, resourceGroup, name };
}

/** How many instances the model asks for (rule A3). */
export function modelCapacity(wire: Json): number {
  const sku = wire['sku'];
  const capacity = isJsonObject(sku) ? sku['capacity'] : undefined;
  return typeof capacity === 'number' ? capacity : 0;
}

/**
 * Reads what the rules need to know from a scale set's model (rule A3).
 * @param wire the model in wire shape: see `toWireShape`
 * @throws ModelError with every reason why it cannot be taken
 */
export function parseScaleSetModel(wire: Json, context: ModelContext): ScaleSet {
  const parsed = wireModelSchema.safeParse(wire);
  const id = context.id ?? (typeof wire['id'] === 'string' ? wire['id'] : '');
  const subject = `scale set "${parseScaleSetId(id)?.name ?? (id || '?')}"`;
  if (!parsed.success) throw new ModelError(subject, issuesOf(parsed.error, wire));
  const model = parsed.data;
  const profile = model.properties.virtualMachineProfile;
  const issues: ModelIssue[] = [];

  const names = parseScaleSetId(id);
  if (names === null) {
    issues.push(
      invalid(
        'id',
        `"${id}" is no scale set's ARM id: give /subscriptions/.../virtualMachineScaleSets/<name>.`,
      ),
    );
  }
  const imageReference = readImageReference(profile.storageProfile.imageReference, issues);
  const wireExtensions = profile.extensionProfile?.extensions ?? [];
  const extensions = readExtensions(wireExtensions, issues);
  const healthExtension = readHealthExtension(wireExtensions, issues);
  const serviceFabric = readServiceFabric(wireExtensions, issues);
  const healthProbeId = profile.networkProfile?.healthProbe?.id ?? null;
  if (healthProbeId !== null && extensions.some(isApplicationHealthExtension)) {
    issues.push({
      code: 'BadRequest',
      target: 'properties.virtualMachineProfile.networkProfile.healthProbe',
      message:
        'Both a health probe and a health extension were provided. Remove the health probe or the health extension.',
    });
  }
  const upgradePolicy = readUpgradePolicy(model, issues);
  if (issues.length > 0 || names === null || imageReference === null) throw new ModelError(subject, issues);

  const enabled = upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade;
  const previous = context.previous;
  return {
    id,
    ...names,
    region: normaliseRegionName(model.location),
    zones: model.zones ?? [],
    orchestrationMode: model.properties.orchestrationMode ?? 'Uniform',
    osType: osTypeOf(model, imageReference),
    upgradePolicy,
    imageReference,
    extensions,
    hasCustomData: Boolean(profile.osProfile?.customData),
    keepsDriveLetters: isTagged(model, KEEP_DRIVE_LETTERS_TAG),
    dataDisks: (profile.storageProfile.dataDisks ?? []).map(({ lun, diskSizeGB }) => ({
      lun,
      sizeGB: diskSizeGB ?? 0,
    })),
    healthProbeId,
    healthExtension,
    serviceFabric,
    computerNamePrefix: profile.osProfile?.computerNamePrefix ?? '',
    singlePlacementGroup: model.properties.singlePlacementGroup ?? true,
    enableAutomaticUpdates: profile.osProfile?.windowsConfiguration?.enableAutomaticUpdates ?? null,
    modelApiVersion: context.apiVersion,
    modelVersion: (previous?.modelVersion ?? 0) + 1,
    automaticUpgradesSince: enabled ? (previous?.automaticUpgradesSince ?? context.at) : null,
  };
}

function readImageReference(
  reference: WireModel['properties']['virtualMachineProfile']['storageProfile']['imageReference'],
  issues: ModelIssue[],
): ImageReference | null {
  const target = 'properties.virtualMachineProfile.storageProfile.imageReference';
  const { publisher, offer, sku, version } = reference;
  const id = reference.id ?? reference.sharedGalleryImageId ?? reference.communityGalleryImageId;
  if (id) {
    if (version) {
      issues.push(
        invalid(
          target,
          "The property 'imageReference.id' cannot be used together with 'imageReference.version'.",
        ),
      );
      return null;
    }
    const [image, exact] = id.split(/\/versions\//i) as [string, string?];
    return { image: { kind: 'gallery', id: image }, version: exact ?? 'latest' };
  }
  if (publisher && offer && sku) {
    return { image: { kind: 'platform', publisher, offer, sku }, version: version ?? 'latest' };
  }
  issues.push(invalid(target, 'Give publisher, offer, sku and version, or the id of a gallery image.'));
  return null;
}

function readExtensions(wire: readonly WireExtension[], issues: ModelIssue[]): Extension[] {
  const target = 'properties.virtualMachineProfile.extensionProfile.extensions';
  const extensions = wire.map(({ name, properties }) => ({
    name,
    publisher: properties.publisher,
    type: properties.type,
    typeHandlerVersion: properties.typeHandlerVersion ?? '1.0',
    provisionAfterExtensions: properties.provisionAfterExtensions,
    // Protected settings are secret, and not read.
    externalResources: [...new Set(urlsIn(properties.settings).map(resourceUrl))],
  }));
  const names = extensions.map(({ name }) => name.toLowerCase());
  for (const [i, { name, provisionAfterExtensions }] of extensions.entries()) {
    if (names.indexOf(name.toLowerCase()) !== i) {
      issues.push(
        bad(target, `Extension name '${name}' cannot be used for more than one extension: rename one.`),
      );
    }
    for (const needed of provisionAfterExtensions.filter((other) => !names.includes(other.toLowerCase()))) {
      issues.push(
        bad(
          target,
          `Extension '${name}' specifies '${needed}' in its provisionAfterExtensions property, but there is no extension '${needed}': add it, or remove it there.`,
        ),
      );
    }
  }
  const sorted = extensionOrder(extensions);
  if ('cycle' in sorted) {
    issues.push(
      bad(
        target,
        `Extensions wait for each other: ${sorted.cycle.join(' -> ')}. Remove one of these dependencies.`,
      ),
    );
  }
  return extensions;
}

function readUpgradePolicy(model: WireModel, issues: ModelIssue[]): UpgradePolicy {
  const { mode, rollingUpgradePolicy, automaticOSUpgradePolicy } = model.properties.upgradePolicy ?? {};
  const own: Json = rollingUpgradePolicy ?? {};
  // The schema has checked the types of what is taken over.
  const policy = Object.fromEntries(
    Object.keys(DEFAULT_ROLLING_POLICY)
      .filter((name) => own[name] !== undefined)
      .map((name) => [name, own[name]]),
  ) as UpgradePolicy['rollingUpgradePolicy'];
  issues.push(...policyViolations(policy).map(({ target, message }) => invalid(target, message)));
  if (own['maxSurge'] === true) {
    issues.push(
      invalid(
        'rollingUpgradePolicy.maxSurge',
        'Upgrades with surge instances are not built: remove maxSurge, or set it to false.',
      ),
    );
  }
  return {
    mode: mode ?? 'Manual',
    rollingUpgradePolicy: policy,
    automaticOSUpgradePolicy: {
      enableAutomaticOSUpgrade: automaticOSUpgradePolicy?.enableAutomaticOSUpgrade ?? false,
      disableAutomaticRollback: automaticOSUpgradePolicy?.disableAutomaticRollback ?? false,
      useRollingUpgradePolicy: automaticOSUpgradePolicy?.useRollingUpgradePolicy ?? false,
    },
  };
}

function osTypeOf(model: WireModel, { image }: ImageReference): ScaleSet['osType'] {
  const { storageProfile, osProfile } = model.properties.virtualMachineProfile;
  if (storageProfile.osDisk?.osType) return storageProfile.osDisk.osType;
  if (osProfile?.windowsConfiguration) return 'Windows';
  if (osProfile?.linuxConfiguration) return 'Linux';
  return image.kind === 'platform' && /windows/i.test(image.publisher) ? 'Windows' : 'Linux';
}

function isTagged(model: WireModel, tag: string): boolean {
  return Object.entries(model.tags ?? {}).some(
    ([name, value]) => name.toLowerCase() === tag.toLowerCase() && String(value).toLowerCase() === 'true',
  );
}

function invalid(target: string, message: string): ModelIssue {
  return { code: 'InvalidParameter', target, message };
}

function bad(target: string, message: string): ModelIssue {
  return { code: 'BadRequest', target, message };
}
