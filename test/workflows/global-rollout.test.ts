import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '../../src/domain/clock.ts';
import { NEW_VERSION, OLD_VERSION, testSetId } from '../support/fleet.ts';
import {
  journalOf,
  rolloutWorld,
  startRollout,
  versionsOf,
  useTimeSkippingServer,
} from '../support/rollout.ts';

const env = useTimeSkippingServer();

const ZONES = ['1', '2', '3'];
const PHASES = [
  { name: 'canary', regions: ['westcentralus'] },
  { name: 'early', regions: ['eastus', 'northeurope'] },
  { name: 'broad', regions: ['westus', 'westeurope'] },
];

describe('a whole global rollout, by the default waits', () => {
  it('takes its hours of virtual time, phase after phase, and upgrades every eligible VM', async () => {
    const world = await rolloutWorld(env, [
      { name: 'canary', region: 'westcentralus', capacity: 3 },
      { name: 'web', region: 'eastus', capacity: 12, zones: ZONES },
      { name: 'api', region: 'eastus', capacity: 7, zones: ZONES },
      { name: 'web-dr', region: 'westus', capacity: 20 },
      {
        name: 'shop',
        region: 'northeurope',
        capacity: 5,
        os: 'Linux',
        orchestrationMode: 'Flexible',
        health: 'extension',
      },
      {
        name: 'shop-dr',
        region: 'westeurope',
        capacity: 6,
        extensions: [{ name: 'agent' }, { name: 'config', provisionAfterExtensions: ['agent'] }],
      },
      { name: 'opted-out', region: 'westeurope', capacity: 4, automaticOSUpgrade: false },
    ]);
    const result = await world.worker.runUntil(async () =>
      (await startRollout(world, { phases: PHASES })).result(),
    );

    expect(result).toEqual({ status: 'Completed', reason: null, phasesDone: 3 });
    const [rollout] = await world.ledger.rollouts.list();
    const took = (rollout?.endedAt ?? 0) - (rollout?.startedAt ?? 0);
    // Three phases of a trigger (30 to 60 minutes), the upgrades, and an hour of bake.
    expect(took).toBeGreaterThan(3 * (30 * MINUTE + HOUR));
    expect(took).toBeLessThan(3 * (HOUR + HOUR) + 3 * HOUR);
    for (const name of ['canary', 'web', 'api', 'web-dr', 'shop', 'shop-dr']) {
      expect(Object.keys(await versionsOf(world, name)), name).toEqual([NEW_VERSION]);
    }
    expect(await versionsOf(world, 'opted-out')).toEqual({ [OLD_VERSION]: 4 });
    await expectPhases(world, rollout?.id ?? '');
    await expectTriggers(world, rollout?.id ?? '');
  });
});

type World = Awaited<ReturnType<typeof rolloutWorld>>;

/** Rules D1 to D3: a phase's VMs are upgraded before its bake, judged after an hour, and only then the next begins. */
async function expectPhases(world: World, rolloutId: string): Promise<void> {
  const phases = await world.ledger.phases.list(rolloutId);
  const journal = await journalOf(world, rolloutId);
  expect(phases.map((phase) => phase.phase)).toEqual([1, 2, 3]);
  for (const [i, phase] of phases.entries()) {
    const lines = journal.filter((line) => PHASES[i]?.regions.includes(line.region));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines[0]?.at).toBeGreaterThanOrEqual(phase.startedAt + 30 * MINUTE);
    expect(lines.at(-1)?.at).toBeLessThanOrEqual(phase.bakingSince as number);
    expect((phase.judgedAt as number) - (phase.bakingSince as number)).toBeGreaterThanOrEqual(HOUR);
    expect(phase.verdict?.failed).toBe(0);
    const next = phases[i + 1];
    if (next) expect(next.startedAt).toBeGreaterThanOrEqual(phase.judgedAt as number);
  }
}

/** Rule D6: 30 to 60 minutes after it was seen that the set is due. */
async function expectTriggers(world: World, rolloutId: string): Promise<void> {
  const targets = await world.ledger.targets.list({ rolloutId });
  expect(targets).toHaveLength(7);
  for (const target of targets.filter((one) => one.status === 'upgraded')) {
    expect(target.triggerAt - target.seenAt).toBeGreaterThanOrEqual(30 * MINUTE);
    expect(target.triggerAt - target.seenAt).toBeLessThanOrEqual(60 * MINUTE);
    const [attempt] = await world.ledger.attempts.listOf({ scaleSetId: target.scaleSetId });
    expect(attempt?.startedAt).toBeGreaterThanOrEqual(target.triggerAt);
    expect((attempt?.startedAt ?? 0) - target.triggerAt).toBeLessThan(MINUTE);
  }
  const optedOut = targets.find((target) => target.scaleSetId === testSetId('opted-out'));
  expect(optedOut).toMatchObject({ status: 'skipped', reason: { code: 'AutomaticOSUpgradeDisabled' } });
}
