import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { Instant } from '../../domain/clock.ts';
import type { PhasePlan } from '../../domain/phases.ts';
import { LONGEST_REASON } from '../../domain/plain-text.ts';
import { faultSchema, fleetSpecSchema, textSchema, type Fault } from '../../fleet/index.ts';
import { parseDuration } from '../durations.ts';
import { parseWith, readJsonFile } from '../json-file.ts';
import { defined, duration, phase, phasePlans, settings } from '../plan-file.ts';
import type { SettingsOverrides } from '../settings.ts';

/*
 * A scenario: a rollout, what goes wrong meanwhile, what people do, and how it should end. Times count from its start.
 */

const text = textSchema('give a text');
const reason = textSchema('give a text', LONGEST_REASON);
/** When, and the code of the refusal if it is to be refused: `Conflict`, `NotHalted`, ... */
const at = { at: duration, refused: text.optional() };
const instances = z.array(text).min(1);
/** Who does something is recorded, as in life. */
const byPerson = { who: reason.default('operator'), why: reason.default('rehearsal') };
/** The rollout, if nothing narrower is named. */
const scope = {
  region: text.optional(),
  phase: z.int().positive().optional(),
  scaleSet: text.optional(),
  all: z.literal(true).optional(),
};

const ruleScope = { region: text.optional(), scaleSet: text.optional(), all: z.literal(true).optional() };

const actionSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('pause'), ...at, ...scope, ...byPerson }),
  z.strictObject({ do: z.literal('resume'), ...at, ...scope, ...byPerson }),
  z.strictObject({ do: z.literal('cancel'), ...at, ...scope, ...byPerson }),
  /** When automatic upgrades may begin batches (rule D10): of everything, if nothing narrower is named; an override is of the rollout. */
  z.strictObject({
    do: z.literal('window'),
    ...at,
    ...ruleScope,
    days: text.default('daily'),
    start: text,
    end: text.optional(),
    lasts: duration.optional(),
    zone: text.default('UTC'),
    ...byPerson,
  }),
  z.strictObject({ do: z.literal('freeze'), ...at, ...ruleScope, lasts: duration, ...byPerson }),
  z.strictObject({ do: z.literal('override'), ...at, ...ruleScope, lasts: duration, ...byPerson }),
  z.strictObject({
    do: z.literal('decide'),
    ...at,
    decision: z.enum(['proceed', 'retry', 'abort']),
    ...byPerson,
  }),
  /** The upgrade of one set by a person (rule D8); the scenario's rollout once more, if none is named. */
  z.strictObject({
    do: z.literal('start'),
    ...at,
    scaleSet: text.optional(),
    version: text.optional(),
    ...byPerson,
  }),
  z.strictObject({
    do: z.literal('updateInstances'),
    ...at,
    scaleSet: text,
    instances: instances.optional(),
    ...byPerson,
  }),
  /** The way back of one set; of the rollout, if none is named. */
  z.strictObject({
    do: z.literal('revert'),
    ...at,
    scaleSet: text.optional(),
    version: text.optional(),
    ...byPerson,
  }),
  z.strictObject({
    do: z.literal('repair'),
    ...at,
    scaleSet: text,
    instance: text.optional(),
    reimage: z.boolean().default(false),
    ...byPerson,
  }),
  z.strictObject({
    do: z.literal('publish'),
    ...at,
    image: text,
    version: text,
    regions: z.array(text).optional(),
  }),
  /** A JSON merge patch of a set's ARM model: capacity, opting out, an extension. */
  z.strictObject({
    do: z.literal('model'),
    ...at,
    scaleSet: text,
    patch: z.record(z.string(), z.unknown()),
    ...byPerson,
  }),
  /** Protects instances, or stops and starts them. */
  z.strictObject({
    do: z.literal('change'),
    ...at,
    scaleSet: text,
    instances,
    protect: z.boolean().optional(),
    power: z.enum(['running', 'stopped', 'deallocated']).optional(),
  }),
  z.strictObject({ do: z.literal('delete'), ...at, scaleSet: text, instances: instances.optional() }),
  /** New credentials for what extensions use; of all that have expired, if no URL is given. */
  z.strictObject({ do: z.literal('renew'), ...at, url: z.url().optional() }),
  /** From now on these go wrong, instead of what did until now. */
  z.strictObject({ do: z.literal('faults'), ...at, faults: z.array(z.record(z.string(), z.unknown())) }),
  /** Workflows are terminated by hand. */
  z.strictObject({
    do: z.literal('terminate'),
    ...at,
    level: z.enum(['image', 'phase', 'region', 'scaleSet', 'batch', 'everything']),
    scaleSet: text.optional(),
  }),
]);

const setExpectation = z.strictObject({
  status: z.enum(['waiting', 'upgrading', 'upgraded', 'stopped', 'skipped']).optional(),
  /** Why it was stopped or skipped. */
  code: text.optional(),
  upgraded: z.int().optional(),
  restored: z.int().optional(),
  failed: z.int().optional(),
  quarantined: z.int().optional(),
  reverted: z.int().optional(),
  /** VMs by the version that they run in the end. */
  versions: z.record(z.string(), z.int()).optional(),
});

const expectation = z.strictObject({
  /** `Refused`: it could not be started. */
  outcome: z.enum(['Completed', 'Halted', 'Cancelled', 'Faulted', 'Running', 'Refused']),
  code: text.optional(),
  scaleSets: z.record(text, setExpectation).default({}),
});

const scenarioSchema = z.strictObject({
  $schema: z.string().optional(),
  name: text,
  description: reason,
  /** A fleet of its own: a description such as those in `examples/fleets`, or the path of one from this file. */
  fleet: z.union([text, z.record(z.string(), z.unknown())]).optional(),
  image: text.optional(),
  /** Instead of a rollout: the upgrade of this set by a person, at once. */
  scaleSet: text.optional(),
  version: text.optional(),
  regions: z.array(text).optional(),
  phases: z.array(phase).min(1).optional(),
  settings: settings.optional(),
  /** As in a fleet's description; times may also be counted from the start: `PT1H`. */
  faults: z.array(z.record(z.string(), z.unknown())).default([]),
  actions: z.array(actionSchema).default([]),
  /** It is given up after so much virtual time. */
  limit: duration.prefault('P7D'),
  expect: expectation.optional(),
});

export type ScenarioAction = z.output<typeof actionSchema>;
export type SetExpectation = z.output<typeof setExpectation>;
export type Expectation = z.output<typeof expectation>;
export type FleetDescription = z.output<typeof fleetSpecSchema>;

export interface Scenario extends Omit<
  z.output<typeof scenarioSchema>,
  'fleet' | 'settings' | 'phases' | '$schema'
> {
  /** What it is called in messages: `scenario web.json`. */
  label: string;
  /** Null: it is rehearsed on a copy of the fleet that there is. */
  fleet: FleetDescription | null;
  settings: SettingsOverrides;
  phases: PhasePlan[] | undefined;
}

/** A rollout of which all goes well, on a copy of the fleet that there is. */
export const PLAIN_SCENARIO: Scenario = {
  ...parseWith(
    scenarioSchema,
    { name: 'as planned', description: 'Nothing goes wrong, except for faults that the fleet has anyway.' },
    'The plain scenario',
  ),
  label: 'rehearsal',
  fleet: null,
  settings: {},
  phases: undefined,
};

/** When a scenario's own fleet begins, unless it says so itself: the same for ever, so that every run is the same. */
const EPOCH: Instant = Date.parse('2026-01-05T10:00:00Z');

/**
 * Reads a scenario, with the fleet that it names.
 * @throws UsageError with the path within the file of everything that is wrong
 */
export async function readScenario(path: string): Promise<Scenario> {
  const label = `scenario ${path}`;
  const parsed = parseWith(scenarioSchema, await readJsonFile(path, 'The scenario'), `The ${label}`);
  const { fleet, phases, settings: overrides = {}, $schema: _schema, ...scenario } = parsed;
  return {
    ...scenario,
    label,
    fleet: fleet === undefined ? null : await describeFleet(fleet, path),
    settings: defined(overrides),
    phases: phases && phasePlans(phases),
  };
}

async function describeFleet(
  fleet: string | Record<string, unknown>,
  path: string,
): Promise<FleetDescription> {
  const file = typeof fleet === 'string' ? resolve(dirname(path), fleet) : path;
  const data = typeof fleet === 'string' ? await readJsonFile(file, 'The fleet file') : fleet;
  const described = parseWith(fleetSpecSchema, data, `The fleet of ${file}`);
  return { ...described, epochVirtual: described.epochVirtual ?? EPOCH, speed: 1 };
}

const TIMES = ['at', 'from', 'to'];

/**
 * Faults as the fleet takes them.
 * @param where what they are, for messages: `The faults of scenario web.json`
 * @param start what their relative times count from
 * @throws UsageError
 */
export function faultsFrom(
  start: Instant,
  faults: readonly Record<string, unknown>[],
  where: string,
): Fault[] {
  const absolute = faults.map((fault) =>
    Object.fromEntries(
      Object.entries(fault).map(([key, value]) => [key, TIMES.includes(key) ? moment(start, value) : value]),
    ),
  );
  return parseWith(z.array(faultSchema), absolute, where);
}

function moment(start: Instant, value: unknown): unknown {
  const after = typeof value === 'string' ? parseDuration(value) : null;
  return after === null ? value : new Date(start + after).toISOString();
}
