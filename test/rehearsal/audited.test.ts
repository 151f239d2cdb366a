import { beforeAll, describe, expect, it } from 'vitest';
import { auditJournal, type Audit } from '../../src/audit/index.ts';
import { HOUR, MINUTE, isoTime } from '../../src/domain/clock.ts';
import { scaleSetScope } from '../../src/domain/scopes.ts';
import { mergeModels, type Json } from '../../src/fleet/index.ts';
import { manualRolloutId, scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { NEW_VERSION, testSetId, type TestSet } from '../support/fleet.ts';
import { QUICK, START, journalOf, rehearsalOf, start, type RehearsalWorld } from './support.ts';

const URL = 'https://assets.example.net/agent.sh';
const ZONES = ['1', '2', '3'];
/** A policy that nothing breaks. */
const TOLERANT = { maxUnhealthyInstancePercent: 100, maxUnhealthyUpgradedInstancePercent: 100 };
const east = (name: string, set: Partial<TestSet> = {}): TestSet => ({
  ...{ name, region: 'eastus', capacity: 10, extensions: [{ name: 'app' }] },
  ...set,
});

/** A set for every rule that the journal proves, in a situation in which the rule decides what happens. */
const SETS: TestSet[] = [
  east('sizes', { capacity: 9 }),
  east('sick'),
  east('failing'),
  east('outage'),
  east('late'),
  east('paused', { rollingUpgradePolicy: { pauseTimeBetweenBatches: 'PT10M' } }),
  east('expired', {
    rollingUpgradePolicy: TOLERANT,
    extensions: [{ name: 'agent', settings: { fileUris: [URL] } }],
  }),
  east('killed'),
  east('frozen'),
  east('mixed', { capacity: 6 }),
  east('manual', { automaticOSUpgrade: false }),
  { name: 'west', region: 'westus', capacity: 10 },
  { name: 'zonal', region: 'swedencentral', zones: ZONES, capacity: 15 },
  { name: 'zonal-too', region: 'swedencentral', zones: ZONES, capacity: 9 },
];

const idOf = testSetId;

/** The worker that looks at the health of `late` is down until a quarter of an hour after the start. */
function lost(now: () => number) {
  return (activity: string, processId: string) => {
    const isMeant = activity === 'checkHealth' && processId.startsWith(scaleSetRolloutId(idOf('late')));
    return isMeant && now() < START + 15 * MINUTE ? ('lostBefore' as const) : ('none' as const);
  };
}

async function prepare({ fleet, ledger, rehearsal }: RehearsalWorld): Promise<void> {
  const freeze = { kind: 'freeze' as const, from: START + 4 * MINUTE, until: START + HOUR };
  const by = { who: 'ada', why: 'to see', at: START };
  await ledger.calendar.add({ ...freeze, scope: scaleSetScope(idOf('frozen')), ...by });
  await fleet.changeInstances(idOf('sick'), ['1', '2', '3'], { power: 'stopped' }, START);
  // Instances that are added run the new version already.
  const model = mergeModels((await fleet.model(idOf('mixed'))) as Json, { sku: { capacity: 10 } });
  await fleet.writeModel({ model, apiVersion: '2024-11-01', at: START - HOUR });
  rehearsal.at(START + 5 * MINUTE, () => {
    rehearsal.terminate((id) => id.startsWith(scaleSetRolloutId(idOf('killed'))));
  });
}

interface Rehearsed {
  audit: Audit;
  /** How it all came to its end, or what went wrong. */
  end: string;
  /** How the upgrade of each set ended: as what, or why. */
  ends: Record<string, string>;
}

async function rehearse(): Promise<Rehearsed> {
  const on = { version: NEW_VERSION };
  const outage = { from: isoTime(START + 6 * MINUTE), to: isoTime(START + 9 * HOUR) };
  const fleetOptions = {
    externalResources: [{ url: URL, credentialExpiresAt: isoTime(START) }],
    faults: [
      { kind: 'neverHealthy' as const, scaleSet: 'failing', instances: ['1'], ...on },
      { kind: 'neverHealthy' as const, scaleSet: 'manual', instances: ['1'], ...on },
      { kind: 'slowHealth' as const, scaleSet: 'late', instances: ['0'], seconds: 400, ...on },
      { kind: 'outage' as const, scaleSet: 'outage', instances: ['7', '8', '9'], ...outage },
    ],
  };
  let now = () => START;
  const world = await rehearsalOf(SETS, fleetOptions, { disturb: lost(() => now()) });
  now = () => world.rehearsal.now;
  try {
    await prepare(world);
    const settings = { ...QUICK, triggerDelay: { min: 0, max: 0 }, failureTolerancePercent: 100 };
    const id = await start(world, [['eastus', 'westus', 'swedencentral']], { settings });
    const manual = manualRolloutId(idOf('manual'), 1);
    const byHand = { id: manual, kind: 'manual' as const, phases: [] };
    await start(world, [], byHand, { id: idOf('manual'), region: 'eastus' });
    // The journal tells what happened also where it went wrong.
    const end = await world.rehearsal.run().catch(String);
    const rules = await world.ledger.journal.read({ rolloutId: '' });
    const entries = [...rules, ...(await journalOf(world, id)), ...(await journalOf(world, manual))];
    const audit = auditJournal(entries, [['eastus', 'westus']]);
    return { audit, end, ends: await endsOf(world) };
  } finally {
    await world.remove();
  }
}

async function endsOf({ ledger }: RehearsalWorld): Promise<Record<string, string>> {
  const attempts = await ledger.attempts.listOf({});
  return Object.fromEntries(
    attempts.map(({ scaleSetId, status, reason }) => [
      scaleSetId.split('/').at(-1) ?? '',
      reason?.code ?? status,
    ]),
  );
}

let rehearsed: Rehearsed;
beforeAll(async () => {
  rehearsed = await rehearse();
});

describe('rehearsed rollouts', () => {
  it('come to their ends, each set as it is with it', () => {
    expect(rehearsed.end).toBe('ended');
    expect(rehearsed.ends).toEqual({
      sizes: 'Completed',
      sick: 'MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade',
      failing: 'MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade',
      outage: 'MaxUnhealthyInstancePercentExceededInRollingUpgrade',
      late: 'MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade',
      paused: 'Completed',
      expired: 'ExtensionResourceUnavailable',
      killed: 'Completed',
      frozen: 'Completed',
      mixed: 'Completed',
      manual: 'MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade',
      west: 'Completed',
      zonal: 'Completed',
      'zonal-too': 'Completed',
    });
    expect(rehearsed.audit.counts).toMatchObject({ attempts: 14, takeOvers: 1, leftOut: 0 });
  });
});

describe('by their journals', () => {
  it.each([
    ...['B1', 'B2', 'B3', 'B4', 'B5', 'B6', 'B7', 'B8', 'B9', 'B10', 'B11', 'B12'],
    ...['D1', 'D4', 'D10', 'E4'],
  ])('%s holds, and there was something to look at', (rule) => {
    const checks = rehearsed.audit.checks.filter((one) => one.rule === rule);
    expect(checks.flatMap((one) => one.violations.map(({ message }) => message))).toEqual([]);
    expect(checks.map((one) => one.cases)).not.toContain(0);
  });
});
