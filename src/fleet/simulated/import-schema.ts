import { z } from 'zod';
import { issuesOf } from '../model-schema.ts';
import { textSchema } from '../text-schema.ts';
import type { ModelIssue } from '../model-error.ts';
import { instanceToWireShape, isJsonObject } from '../wire-shape.ts';

/** What of an instance (`az vmss list-instances`) is read; null is as good as absent. */

const text = textSchema('give a text').or(z.literal('')).nullish();
const object = <T extends z.ZodRawShape>(shape: T) => z.looseObject(shape, { error: 'give an object' });
const status = object({ code: text });

const instanceView = object({
  platformUpdateDomain: z.int().min(0).nullish(),
  platformFaultDomain: z.int().min(0).nullish(),
  vmHealth: object({ status: status.nullish() }).nullish(),
  statuses: z.array(status).nullish(),
});

export const wireInstanceSchema = object({
  id: textSchema("give the instance's ARM id"),
  instanceId: text,
  name: text,
  zones: z.array(z.union([textSchema('give a text'), z.int().transform(String)])).nullish(),
  properties: object({
    latestModelApplied: z.boolean().nullish(),
    provisioningState: text,
    timeCreated: text,
    vmId: text,
    osProfile: object({ computerName: text }).nullish(),
    protectionPolicy: object({ protectFromScaleSetActions: z.boolean().nullish() }).nullish(),
    storageProfile: object({
      imageReference: object({ version: text, exactVersion: text, id: text }).nullish(),
      osDisk: object({ name: text, managedDisk: object({ id: text }).nullish() }).nullish(),
    }).nullish(),
    instanceView: instanceView.nullish(),
  }),
});

export type WireInstance = z.infer<typeof wireInstanceSchema>;

/** Reads one instance, in wire shape or flattened. */
export function readInstance(raw: unknown): { instance: WireInstance } | { issues: ModelIssue[] } {
  if (!isJsonObject(raw)) {
    return { issues: [{ code: 'InvalidParameter', target: '', message: 'It is no object.' }] };
  }
  const wire = instanceToWireShape(raw);
  const parsed = wireInstanceSchema.safeParse(wire);
  return parsed.success ? { instance: parsed.data } : { issues: issuesOf(parsed.error, wire) };
}
