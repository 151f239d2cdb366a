import { describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { MINUTE } from '../../src/domain/clock.ts';
import { rolloutScope } from '../../src/domain/scopes.ts';
import { imageRolloutId, scaleSetRolloutId } from '../../src/workflows/ids.ts';
import {
  START,
  rehearsalOf,
  removeWorldsAfterEach,
  start,
  type RehearsalWorld,
} from '../rehearsal/support.ts';
import { NEW_VERSION, TARGET, type TestFleetOptions, type TestSet } from '../support/fleet.ts';
import { run } from './support.ts';

removeWorldsAfterEach();

const SETS: TestSet[] = [
  { name: 'web', region: 'eastus', zones: ['1', '2', '3'], capacity: 9 },
  { name: 'api', region: 'westus', capacity: 10, extensions: [{ name: 'app' }] },
];

interface Audited {
  clean: boolean;
  status: string;
  counts: Record<string, number>;
  checks: { rule: string; cases: number; violations: number }[];
  violations: { rule: string; at: string; scaleSetId: string; instanceId: string; message: string }[];
  open: { attemptId: string; since: string }[];
}

const urlOf = (world: RehearsalWorld) => (world.database as Database & { url: string }).url;

async function audit(world: RehearsalWorld, id: string) {
  const space = { databaseUrl: urlOf(world), write: async () => '', remove: async () => {} };
  const { code, stdout } = await run(['audit', id, '-o', 'json'], space);
  const { stdout: text } = await run(['audit', id], space);
  return { code, text, audited: JSON.parse(stdout) as Audited };
}

/** A rollout over both regions, run to where it comes by itself. */
async function rolledOut(options: TestFleetOptions = {}, meanwhile?: (world: RehearsalWorld) => void) {
  const world = await rehearsalOf(SETS, options);
  const id = await start(world, [['eastus'], ['westus']]);
  meanwhile?.(world);
  await world.rehearsal.run();
  return { world, id };
}

const casesOf = ({ checks }: Audited, rule: string) =>
  checks.filter((check) => check.rule === rule).reduce((sum, { cases }) => sum + cases, 0);

describe('rollouts audit finds no fault', () => {
  it('with a completed rollout, and says what it looked at', async () => {
    const { world, id } = await rolledOut();
    const { code, text, audited } = await audit(world, id);
    expect(code).toBe(0);
    expect(audited).toMatchObject({
      clean: true,
      status: 'Completed',
      counts: { attempts: 2, batches: 14, instances: 19, takeOvers: 0, leftOut: 0 },
      violations: [],
      open: [],
    });
    for (const rule of [
      'B1',
      'B2',
      'B3',
      'B4',
      'B5',
      'B7',
      'B8',
      'B9',
      'B10',
      'B11',
      'B12',
      'D1',
      'D4',
      'E4',
    ])
      expect(casesOf(audited, rule), rule).toBeGreaterThan(0);
    expect(text).toMatch(/^All \d+ checks hold\.\n/);
    expect(text).toMatch(/^B2 +14 batches +ok +No batch is larger than its share of the set\.$/m);
    expect(text).toMatch(/^B6 +- +Nobody is restored/m);
  });

  it('with one that is halted by a fault: the restores were right, and nothing followed (B6, B7)', async () => {
    const { world, id } = await rolledOut({
      faults: [{ kind: 'neverHealthy', version: NEW_VERSION, scaleSet: 'web', instances: ['2', '5', '8'] }],
    });
    const { code, audited } = await audit(world, id);
    expect(code).toBe(0);
    expect(audited).toMatchObject({ clean: true, status: 'Halted' });
    expect(casesOf(audited, 'B6')).toBeGreaterThan(0);
  });

  it('with a manual upgrade that faulted: its first batch is left as it is (B6, B11)', async () => {
    const url = 'https://store.example/app.zip';
    const extensions = [{ name: 'app', settings: { fileUris: [url] } }];
    const world = await rehearsalOf([{ name: 'web', region: 'eastus', capacity: 10, extensions }], {
      faults: [{ kind: 'credentialExpired', url, at: new Date(START).toISOString() }],
    });
    const [scaleSetId = ''] = world.scaleSetIds;
    const id = await start(
      world,
      [],
      { kind: 'manual', id: 'scale-set/web/1' },
      { id: scaleSetId, region: 'eastus' },
    );
    await world.rehearsal.run();
    const { code, audited } = await audit(world, id);
    expect(code).toBe(0);
    expect(audited).toMatchObject({ clean: true, status: 'Faulted', counts: { batches: 1, instances: 2 } });
  });

  it('with a cancelled one', async () => {
    const { world, id } = await rolledOut({}, ({ rehearsal, ledger }) => {
      const scope = rolloutScope(imageRolloutId(TARGET, 1));
      const order = { scope, state: 'cancelled' as const, who: 'ada', why: 'no' };
      rehearsal.at(START + 6 * MINUTE, async () => {
        await ledger.orders.set({ ...order, at: rehearsal.now });
        rehearsal.wakeAll();
      });
    });
    const { code, audited } = await audit(world, id);
    expect(code).toBe(0);
    expect(audited).toMatchObject({ clean: true, status: 'Cancelled' });
    expect(audited.counts['instances']).toBeGreaterThan(0);
    expect(audited.counts['instances']).toBeLessThan(19);
  });

  it('with one whose workflows were terminated and taken over', async () => {
    const { world, id } = await rolledOut({}, ({ rehearsal, scaleSetIds }) => {
      for (const minutes of [2, 5, 9, 14, 22]) {
        const sets = scaleSetIds.map((set) => scaleSetRolloutId(set));
        rehearsal.at(START + minutes * MINUTE, () => void rehearsal.terminate((one) => sets.includes(one)));
      }
    });
    const { code, text, audited } = await audit(world, id);
    expect(code).toBe(0);
    expect(audited).toMatchObject({ clean: true, status: 'Completed', counts: { instances: 19 } });
    expect(audited.counts['takeOvers']).toBeGreaterThan(1);
    expect(text).toContain('taken over');
  });

  it('with one that still runs: it names what is open', async () => {
    const world = await rehearsalOf(SETS, {}, { limit: 4 * MINUTE });
    const id = await start(world, [['eastus'], ['westus']]);
    expect(await world.rehearsal.run()).toBe('outOfTime');
    const { code, text, audited } = await audit(world, id);
    expect(code).toBe(0);
    expect(audited.open).toHaveLength(1);
    expect(text).toMatch(
      /Still under way, judged as far as they are:\n {2}web: in batch \d, since 2026-01-06 10:0/,
    );
  });
});

describe('rollouts audit', () => {
  it('names every violation with its rule, time, set and VM, and exits with 2', async () => {
    const { world, id } = await rolledOut();
    const [swap] = (await world.ledger.journal.read({ rolloutId: id })).filter(
      (entry) => entry.operation === 'osDisk.swap',
    );
    if (!swap) throw new Error('Nothing was swapped.');
    const { seq: _, recordedAt: _at, ...line } = swap;
    await world.ledger.journal.appendOnce([{ ...line, operation: 'osDisk.restore', at: swap.at + MINUTE }]);
    const { code, text, audited } = await audit(world, id);
    expect(code).toBe(2);
    expect(audited.clean).toBe(false);
    expect(audited.violations).toContainEqual(
      expect.objectContaining({ rule: 'E4', instanceId: swap.instanceId, scaleSetId: swap.scaleSetId }),
    );
    expect(text).toMatch(/^3 violations of 3 rules: B4, B6, E4\.\n/);
    expect(text).toMatch(/^ {2}E4 +2026-01-06 10:\d\d:\d\d +web\/0 +something that was begun has no end\.$/m);
  });

  it('reads of other rollouts what they could clash with: an attempt on the same set (B12)', async () => {
    const { world, id } = await rolledOut();
    const lines = await world.ledger.journal.read({ rolloutId: id });
    const own = (await world.ledger.attempts.listOf({ rolloutId: id })).find(
      ({ region }) => region === 'eastus',
    );
    if (!own) throw new Error('There is no attempt.');
    const opened = await world.ledger.attempts.open(
      {
        ...own,
        ...{ rolloutId: 'other', workflowId: 'other', runId: 'other', healthTimeout: 5 * MINUTE },
        at: own.startedAt + MINUTE,
      },
      async () => true,
    );
    expect(opened.kind).toBe('opened');
    const { audited } = await audit(world, id);
    expect(audited.counts['lines']).toBeGreaterThan(lines.length);
    expect(audited.violations.map(({ rule }) => rule)).toEqual(['B12']);
  });

  it('says so when nothing was touched', async () => {
    const world = await rehearsalOf([{ region: 'eastus', capacity: 3, automaticOSUpgrade: false }]);
    const id = await start(world, [['eastus']]);
    await world.rehearsal.run();
    const { code, text } = await audit(world, id);
    expect(code).toBe(0);
    expect(text).toMatch(/^Nothing to judge: no scale set was touched\.\n/);
  });
});
