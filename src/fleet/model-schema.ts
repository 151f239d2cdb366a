import { z } from 'zod';
import { parseIsoDuration } from '../domain/iso-duration.ts';
import type { ModelIssue } from './model-error.ts';
import { textSchema } from './text-schema.ts';
import { isJsonObject } from './wire-shape.ts';

/** What of a scale set's ARM model is read; everything else passes unread. Null is as good as absent. */

const GIVE_TEXT = { error: 'give a text' };
const text = textSchema(GIVE_TEXT.error);
const maybeText = text.nullish();

/** Some samples of the documentation write booleans as texts. */
const maybeBoolean = z
  .union(
    [
      z.boolean(),
      z
        .string()
        .regex(/^(true|false)$/i)
        .transform((value) => value.toLowerCase() === 'true'),
    ],
    { error: 'give true or false' },
  )
  .nullish()
  .transform((value) => value ?? undefined);

const wholeNumber = z.int({ error: 'give a whole number' });
const maybeNumber = wholeNumber.nullish().transform((value) => value ?? undefined);

const duration = z
  .string({ error: 'give an ISO 8601 duration, such as PT5M' })
  .transform((value, context) => {
    const parsed = parseIsoDuration(value);
    if (parsed !== null) return parsed;
    context.issues.push({ code: 'custom', input: value, message: 'give an ISO 8601 duration, such as PT5M' });
    return z.NEVER;
  })
  .nullish()
  .transform((value) => value ?? undefined);

/** One of some words, in any case; answered in the API's. */
function oneOf<T extends string>(...words: [T, ...T[]]) {
  const error = `give ${words.join(' or ')}`;
  return z.string({ error }).transform((value, context) => {
    const word = words.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
    if (word !== undefined) return word;
    context.issues.push({ code: 'custom', input: value, message: error });
    return z.NEVER;
  });
}

const object = <T extends z.ZodRawShape>(shape: T) => z.looseObject(shape, { error: 'give an object' });

const upgradePolicy = object({
  mode: oneOf('Manual', 'Automatic', 'Rolling').nullish(),
  rollingUpgradePolicy: object({
    maxBatchInstancePercent: maybeNumber,
    maxUnhealthyInstancePercent: maybeNumber,
    maxUnhealthyUpgradedInstancePercent: maybeNumber,
    pauseTimeBetweenBatches: duration,
    enableCrossZoneUpgrade: maybeBoolean,
    prioritizeUnhealthyInstances: maybeBoolean,
    rollbackFailedInstancesOnPolicyBreach: maybeBoolean,
    maxSurge: maybeBoolean,
  }).nullish(),
  automaticOSUpgradePolicy: object({
    enableAutomaticOSUpgrade: maybeBoolean,
    disableAutomaticRollback: maybeBoolean,
    useRollingUpgradePolicy: maybeBoolean,
  }).nullish(),
});

const extension = object({
  name: text,
  properties: object({
    publisher: text,
    type: text,
    typeHandlerVersion: z.union([text, z.number().transform(String)], GIVE_TEXT).nullish(),
    settings: z.unknown().optional(),
    provisionAfterExtensions: z
      .array(text, { error: 'give a list of extension names' })
      .nullish()
      .transform((names) => names ?? []),
  }),
});

const virtualMachineProfile = object({
  osProfile: object({
    computerNamePrefix: maybeText,
    customData: z.string(GIVE_TEXT).nullish(),
    windowsConfiguration: object({ enableAutomaticUpdates: maybeBoolean }).nullish(),
    linuxConfiguration: object({}).nullish(),
  }).nullish(),
  storageProfile: object({
    imageReference: object({
      publisher: maybeText,
      offer: maybeText,
      sku: maybeText,
      version: maybeText,
      id: maybeText,
      sharedGalleryImageId: maybeText,
      communityGalleryImageId: maybeText,
    }),
    osDisk: object({ osType: oneOf('Linux', 'Windows').nullish() }).nullish(),
    dataDisks: z
      .array(object({ lun: wholeNumber, diskSizeGB: maybeNumber }), { error: 'give a list of data disks' })
      .nullish(),
  }),
  networkProfile: object({ healthProbe: object({ id: maybeText }).nullish() }).nullish(),
  extensionProfile: object({
    extensions: z.array(extension, { error: 'give a list of extensions' }).nullish(),
  }).nullish(),
});

export const wireModelSchema = object({
  id: maybeText,
  name: maybeText,
  location: text,
  tags: z.record(z.string(), z.unknown()).nullish(),
  zones: z.array(z.union([text, z.int().transform(String)]), { error: 'give a list of zones' }).nullish(),
  sku: object({
    capacity: z
      .int({ error: 'give a whole number from 0 to 1000' })
      .min(0, { error: 'give a whole number from 0 to 1000' })
      .max(1000, { error: 'give a whole number from 0 to 1000' })
      .nullish(),
  }).nullish(),
  properties: object({
    orchestrationMode: oneOf('Uniform', 'Flexible').nullish(),
    singlePlacementGroup: maybeBoolean,
    upgradePolicy: upgradePolicy.nullish(),
    virtualMachineProfile,
  }),
});

export type WireModel = z.infer<typeof wireModelSchema>;
export type WireExtension = z.infer<typeof extension>;

/** What a schema found, as issues that name the path, what is there, and what to give. */
export function issuesOf(error: z.ZodError, input: unknown): ModelIssue[] {
  return error.issues.map(({ path, message }) => {
    const target = path.join('.');
    const value = path.reduce<unknown>(
      (at, key) =>
        isJsonObject(at) || Array.isArray(at) ? (at as Record<PropertyKey, unknown>)[key] : undefined,
      input,
    );
    const found = value === undefined ? 'missing' : JSON.stringify(value).slice(0, 60);
    return { code: 'InvalidParameter', target, message: `It is ${found}: ${message}.` };
  });
}
