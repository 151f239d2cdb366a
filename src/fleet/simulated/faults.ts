import { z } from 'zod';
import { isoInstant } from './instant.ts';
import { OPERATION_ORDER, type FleetOperation } from '../../domain/operation.ts';
import { shortHash, uniform } from '../../domain/random.ts';
import { scaleSetKey } from '../../domain/scale-set.ts';
import { textSchema } from '../text-schema.ts';
import { resourceUrl } from '../resource-url.ts';

const text = textSchema('give a text');

/** Which instances a fault concerns: all that pass every condition given. */
const target = {
  /** ARM id or name, ignoring case. */
  scaleSet: text.optional(),
  region: text.optional(),
  zone: text.optional(),
  instances: z.array(text).optional(),
  /** A share of the instances, chosen by the fleet's seed. */
  share: z.number().min(0).max(1).optional(),
};
const seconds = z.number().nonnegative();
const version = text;
/** Kept as resources are: without the token. */
const url = z.url().transform(resourceUrl);

/** Calls that can fail: operations on instances, the other calls of the port, all that only read, and all that there are. */
const API_CALLS = [
  ...(OPERATION_ORDER as [FleetOperation, ...FleetOperation[]]),
  ...(['regions', 'scaleSets', 'scaleSet', 'instances', 'surroundings', 'imageOffers'] as const),
  ...(['fence', 'discardPreviousOsDisks', 'reads', 'any'] as const),
] as const;

/** What goes wrong, from a scenario file. */
export const faultSchema = z.discriminatedUnion('kind', [
  /** On this version the application never gets healthy. */
  z.strictObject({ kind: z.literal('neverHealthy'), version, ...target }),
  /** It takes longer to, by so many seconds; on any version if none is given. */
  z.strictObject({ kind: z.literal('slowHealth'), seconds, version: version.optional(), ...target }),
  z.strictObject({ kind: z.literal('slowBoot'), seconds, version: version.optional(), ...target }),
  z.strictObject({
    kind: z.literal('extensionFails'),
    extension: text,
    version: version.optional(),
    ...target,
  }),
  /** The new disk cannot be attached; the old one is put back. The first `times` tries of each instance fail; all, if not given. */
  z.strictObject({
    kind: z.literal('swapFails'),
    times: z.int().positive().optional(),
    version: version.optional(),
    ...target,
  }),
  z.strictObject({ kind: z.literal('restoreFails'), times: z.int().positive().optional(), ...target }),
  /** Sets when an external resource's credential expires: renewing the credential ends it (rule B11). */
  z.strictObject({ kind: z.literal('credentialExpired'), url, at: isoInstant }),
  z.strictObject({ kind: z.literal('resourceGone'), url, at: isoInstant }),
  /**
   * Whenever the application could be healthy it is so for a while, and then not: half of the period each, or so many seconds.
   * It begins with a healthy time, at `from` or when the application gets healthy.
   */
  z
    .strictObject({
      kind: z.literal('flapping'),
      periodSeconds: seconds.min(1).optional(),
      healthySeconds: seconds.min(0.5).optional(),
      unhealthySeconds: seconds.min(0.5).optional(),
      version: version.optional(),
      from: isoInstant.optional(),
      to: isoInstant.optional(),
      ...target,
    })
    .refine(
      ({ periodSeconds, healthySeconds, unhealthySeconds }) =>
        (periodSeconds === undefined) !== (healthySeconds === undefined) &&
        (healthySeconds === undefined) === (unhealthySeconds === undefined),
      { error: 'give periodSeconds, or healthySeconds and unhealthySeconds' },
    ),
  /** Maintenance, or a zone that is down: instances are stopped between two virtual times. */
  z.strictObject({ kind: z.literal('outage'), from: isoInstant, to: isoInstant, ...target }),
  /**
   * The cloud's API answers calls with an error: so many times, or for good. `after`: it has done what was asked; `timeout`: that,
   * and no answer came; `throttled`: it is asked too often, and may say for how long it wants to be left alone.
   */
  z
    .strictObject({
      kind: z.literal('apiError'),
      operation: z.enum(API_CALLS),
      times: z.int().positive().optional(),
      effect: z.enum(['before', 'after', 'timeout', 'throttled']),
      retryAfterSeconds: seconds.positive().optional(),
      scaleSet: text.optional(),
    })
    .refine(({ effect, retryAfterSeconds }) => effect === 'throttled' || retryAfterSeconds === undefined, {
      path: ['retryAfterSeconds'],
      error: 'goes with the effect throttled alone',
    }),
]);

/** A fault as a scenario file spells it: times in ISO 8601. */
export type FaultSpec = z.input<typeof faultSchema>;
/** A fault as the fleet keeps it: times as instants. */
export type Fault = z.infer<typeof faultSchema>;
export type FaultKind = Fault['kind'];
export type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>;

/** A fault with its number in the fleet, which its share is chosen by. */
export type NumberedFault<K extends FaultKind = FaultKind> = { id: number; fault: FaultOf<K> };

/** The instance that something might go wrong with. */
export interface Subject {
  scaleSetId: string;
  region: string;
  zone: string | null;
  instanceId: string;
}

/** The fleet's faults, by kind. */
export class Faults {
  readonly #byKind = new Map<FaultKind, NumberedFault[]>();
  readonly #seed: string;

  constructor(faults: readonly NumberedFault[], seed: string) {
    this.#seed = seed;
    for (const fault of faults) {
      this.#byKind.set(fault.fault.kind, [...(this.#byKind.get(fault.fault.kind) ?? []), fault]);
    }
  }

  of<K extends FaultKind>(kind: K): NumberedFault<K>[] {
    // The map holds under each kind what is of it, which its type cannot say.
    return (this.#byKind.get(kind) ?? []) as unknown as NumberedFault<K>[];
  }

  /** The faults of a kind that concern an instance, and its version where they name one. */
  concerning<K extends Exclude<FaultKind, 'credentialExpired' | 'resourceGone' | 'apiError'>>(
    kind: K,
    subject: Subject,
    version?: string,
  ): FaultOf<K>[] {
    return this.of(kind)
      .filter(({ id, fault }) => {
        const named = 'version' in fault ? fault.version : undefined;
        return (named === undefined || named === version) && this.#hits(id, fault, subject);
      })
      .map(({ fault }) => fault);
  }

  /**
   * Whether one of the faults that concern an instance hits it now. One with a number of `times` hits each instance so
   * often, whatever the attempts that its tries belong to.
   * @param hits how often it was hit by each fault before
   * @returns the hits by then, or null for no fault
   */
  hit(
    kind: 'swapFails' | 'restoreFails',
    subject: Subject,
    hits: Readonly<Record<string, number>>,
    version?: string,
  ): Record<string, number> | null {
    for (const fault of this.concerning(kind, subject, version)) {
      if (fault.times === undefined) return { ...hits };
      // By what it says: its number changes when others are set.
      const key = shortHash(JSON.stringify(fault));
      const before = hits[key] ?? 0;
      if (before < fault.times) return { ...hits, [key]: before + 1 };
    }
    return null;
  }

  #hits(
    id: number,
    fault: { scaleSet?: string; region?: string; zone?: string; instances?: string[]; share?: number },
    subject: Subject,
  ): boolean {
    return (
      (fault.scaleSet === undefined || isNamed(fault.scaleSet, subject.scaleSetId)) &&
      (fault.region === undefined || fault.region === subject.region) &&
      (fault.zone === undefined || fault.zone === subject.zone) &&
      (fault.instances === undefined || fault.instances.includes(subject.instanceId)) &&
      (fault.share === undefined ||
        uniform(this.#seed, 'fault', id, scaleSetKey(subject.scaleSetId), subject.instanceId) < fault.share)
    );
  }
}

/** True when `name` is the set's ARM id or its name, ignoring case. */
export function isNamed(name: string, scaleSetId: string): boolean {
  const key = scaleSetKey(scaleSetId);
  const wanted = name.toLowerCase();
  return wanted === key || key.endsWith(`/${wanted}`);
}
