import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/clock.ts';
import { plainLines, renderTree, type RolloutSnapshot } from '../../src/client/view/index.ts';
import { ROLLOUT, START, Story } from './view-fixture.ts';

let story: Story;
beforeEach(async () => {
  story = await Story.begin();
});
afterEach(() => story.end());

/** The second phase in full swing: a set done, one under way, one that waits, one that stopped, one not eligible. */
async function inFullSwing(): Promise<RolloutSnapshot> {
  await story.canary();
  await story.openPhase(2, ['eastus', 'westeurope'], 125);
  const eastus = { region: 'eastus', phase: 2 };
  await story.target('web-1', { ...eastus, triggerAt: 160 });
  await story.target('web-2', { ...eastus, triggerAt: 175 });
  await story.target('web-3', { ...eastus, triggerAt: 190 });
  await story.target('old-1', {
    ...eastus,
    status: 'skipped',
    reason: { code: 'AutomaticOSUpgradeDisabled', message: 'off' },
  });
  await story.target('sql-1', { region: 'westeurope', phase: 2, triggerAt: 160 });
  const done = await story.attempt('web-1', 160, { ids: ['0', '1', '2'], pending: 0 });
  await story.close(done, 170, { '0': 'upgraded', '1': 'upgraded', '2': 'restored' }, 'Completed');
  const bad = await story.attempt('sql-1', 160, { ids: ['0'], pending: 4 });
  const reason = { code: 'Max', message: '100% of the instances upgraded so far are unhealthy.' };
  await story.close(bad, 171, { '0': 'restored' }, 'Faulted', reason);
  await story.attempt('web-2', 175, { ids: ['0', '1'], pending: 8, zone: '2' });
  story.at(180);
  return story.snapshot();
}

const tree = (snapshot: RolloutSnapshot, options = {}) =>
  renderTree(snapshot, { columns: 120, color: false, ...options });

describe('the tree', () => {
  it('shows what is done, under way and to come, with what is waited for and until when', async () => {
    const lines = tree(await inFullSwing()).split('\n');
    expect(lines[0]).toMatch(/^Canonical:jammy:22_04-lts 22\.4\.2 +Running$/);
    expect(lines[1]).toBe(
      '6 Dec 11:00, 3 h 00 min after its start at 08:00; 18 s of wall time, 600 times as fast',
    );
    expect(lines).toContainEqual(
      expect.stringMatching(/^✓ 1 canary .*1 set, 2 VMs upgraded +08:01 - 10:02  uksouth$/),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(/^● 2 early .*2 of 4 sets, 2 VMs upgraded, 2 in progress, 2 restored/),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}● eastus .*1 of 3 sets.* {2}next trigger, 11:10 \(in 10 min\)/),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {6}web-2 .* 0 of 10 VMs +batch 1, zone 2, update domain 0 since 10:55$/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/^○ 3 broad +westus, northeurope/));
    expect(lines).toContainEqual(
      expect.stringMatching(/^✗ westeurope\/sql-1 {2}stopped: 100% of the instances/),
    );
    expect(lines).toContainEqual('↩ eastus/web-1  VM 2 restored (HealthTimeout: not healthy within 300 s.)');
  });

  it.each([40, 60, 80, 120, 200])('keeps to %i columns', async (columns) => {
    const longest = Math.max(
      ...tree(await inFullSwing(), { columns })
        .split('\n')
        .map((line) => line.length),
    );
    expect(longest).toBeLessThanOrEqual(columns);
  });

  it.each([1, 3, 8, 12, 20])('keeps to %i rows', async (rows) => {
    expect(tree(await inFullSwing(), { rows }).split('\n').length).toBeLessThanOrEqual(rows);
  });

  it('colours only where it is asked to, and never cuts through an escape sequence', async () => {
    const snapshot = await inFullSwing();
    expect(tree(snapshot)).not.toContain('\u001B');
    const colored = tree(snapshot, { color: true, columns: 50 });
    expect(colored).toContain('\u001B[32m');
    expect(colored.replaceAll('\u001B', 'ESC').replaceAll(/ESC\[\d+m/g, '')).toBe(
      tree(snapshot, { columns: 50 }),
    );
  });

  it('says what a halted rollout waits for', async () => {
    await story.canary();
    await story.ledger.rollouts.setStatus(ROLLOUT, 'Halted', story.at(130), {
      code: 'X',
      message: '3 of 10 VMs failed.',
    });
    const text = tree(await story.snapshot());
    expect(text).toContain('3 of 10 VMs failed.\nWaits for a decision: proceed, retry or abort');
    expect(text).toMatch(/■ 1 canary .*halted/);
  });

  it('says until when a phase bakes', async () => {
    await story.openPhase(1, ['uksouth'], 1);
    await story.ledger.phases.bake(
      { rolloutId: ROLLOUT, phase: 1, round: 1 },
      story.at(60),
      START + 120 * MINUTE,
    );
    expect(tree(await story.snapshot())).toMatch(/◑ 1 canary .*bakes until 10:00 \(in 1 h 00 min\)/);
  });
});

describe('plain lines', () => {
  it('tell all that has happened so far, in the order of the virtual clock', async () => {
    expect(plainLines(null, await inFullSwing())).toEqual([
      '2025-12-06 08:00:00  rollout of Canonical:jammy:22_04-lts 22.4.2 in 3 phases, started by ana',
      '2025-12-06 08:01:00  phase 1 (canary) started: uksouth',
      '2025-12-06 08:01:00  uksouth: 1 scale set to upgrade, the first trigger at 08:40',
      '2025-12-06 09:00:00  uksouth/canary-1: 2 VMs upgraded (20 min)',
      '2025-12-06 09:00:00  uksouth done: 2 VMs upgraded',
      '2025-12-06 09:01:00  phase 1 (canary) upgraded; it bakes until 10:01',
      '2025-12-06 10:02:00  phase 1 (canary) judged: 2 of 2 VMs healthy on the new version',
      '2025-12-06 10:05:00  phase 2 (early) started: eastus, westeurope',
      '2025-12-06 10:05:00  eastus: 3 scale sets to upgrade, the first trigger at 10:40',
      '2025-12-06 10:05:00  eastus/old-1 skipped: AutomaticOSUpgradeDisabled',
      '2025-12-06 10:05:00  westeurope: 1 scale set to upgrade, the first trigger at 10:40',
      '2025-12-06 10:50:00  eastus/web-1: 2 VMs upgraded, 1 restored (in 1 batch, 10 min): VM 2 restored (HealthTimeout: not healthy within 300 s.)',
      '2025-12-06 10:51:00  westeurope/sql-1 stopped after 0 VMs upgraded, 1 restored: 100% of the instances upgraded so far are unhealthy.',
      '2025-12-06 10:51:00  westeurope done: 0 VMs upgraded, 1 restored, 1 set stopped',
    ]);
  });

  it('tell each thing once', async () => {
    const before = await story.snapshot();
    expect(plainLines(before, await story.snapshot())).toEqual([]);
    await story.openPhase(1, ['uksouth'], 1);
    const after = await story.snapshot();
    expect(plainLines(before, after)).toEqual(['2025-12-06 08:01:00  phase 1 (canary) started: uksouth']);
    expect(plainLines(after, await story.snapshot())).toEqual([]);
  });

  it('tell pauses as they come and go', async () => {
    const before = await story.snapshot();
    const order = { scope: 'all', state: 'paused' as const, who: 'bo', why: 'a game', at: story.at(10) };
    await story.ledger.orders.set(order);
    const paused = await story.snapshot();
    expect(plainLines(before, paused)).toEqual([
      '2025-12-06 08:10:00  the rollout waits for a resume (paused by bo: a game)',
    ]);
    await story.ledger.orders.set({ ...order, state: 'running', at: story.at(20) });
    expect(plainLines(paused, await story.snapshot())).toEqual([
      '2025-12-06 08:20:00  no more: the rollout waits for a resume (paused by bo: a game)',
    ]);
  });

  it('tell a halt and the end', async () => {
    const before = await story.snapshot();
    await story.ledger.rollouts.setStatus(ROLLOUT, 'Halted', story.at(30), {
      code: 'X',
      message: '3 failed.',
    });
    const halted = await story.snapshot();
    expect(plainLines(before, halted)).toEqual(['2025-12-06 08:30:00  HALTED: 3 failed.']);
    await story.ledger.rollouts.setStatus(ROLLOUT, 'Completed', story.at(600), null);
    expect(plainLines(halted, await story.snapshot())).toEqual([
      '2025-12-06 18:00:00  completed after 10 h 00 min (1 min of wall time)',
    ]);
  });
});
