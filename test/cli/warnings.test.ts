import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EPOCH, testSetId } from '../support/fleet.ts';
import { recordAttempt } from './recorded.ts';
import { IMAGE, rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';

const URL = 'https://store.example/app.zip';
const GONE = `Extension "app" needs ${URL}, which is gone since 2026-01-05T10:00:00.000Z.`;
let space: Workspace;
let rollouts: TestRollouts;

beforeEach(async () => {
  space = workspace();
  const extensions = [{ name: 'app', settings: { fileUris: [URL] } }];
  rollouts = await rolloutsOn(space, [{ name: 'web', region: 'eastus', capacity: 3, extensions }], {
    externalResources: [{ url: URL, goneAt: new Date(EPOCH).toISOString() }],
  });
});
afterEach(async () => {
  await rollouts.close();
  await space.remove();
});

const command = (...args: string[]) => run(args, space, { temporal: rollouts.temporalServer });

describe('a resource that extensions will miss (C8)', () => {
  it('is in the plan, at its scale set, and prevents nothing', async () => {
    const { stdout } = await command('plan', IMAGE);
    expect(stdout).toContain(`Warning: ${GONE} Put it back`);
    expect(stdout).toContain('Warning: Extensions of web will miss what they need from outside');
    const plan = JSON.parse((await command('plan', IMAGE, '-o', 'json')).stdout) as {
      totals: object;
      skipped: object[];
    };
    expect(plan).toMatchObject({ totals: { scaleSets: 1 }, skipped: [] });
  });

  it('is said when a rollout, or the upgrade of one set, is started', async () => {
    expect((await command('start', '--scale-set', 'web')).stderr).toContain(`Warning: ${GONE} Put it back`);
    expect((await command('start', IMAGE)).stderr).toContain('Warning: Extensions of web will miss');
  });

  it('is in the status of an upgrade that runs, and in the history and journal for good', async () => {
    const warnings = [
      { code: 'ExternalResourceUnavailable' as const, message: GONE, fix: 'Put it back.', rule: 'C8' },
    ];
    await recordAttempt(rollouts, testSetId('web'), { warnings, isOpen: true });
    expect((await command('status')).stdout).toContain(
      `Warned of before it began:\n  web: ${GONE} Put it back.`,
    );
    expect(JSON.parse((await command('status', '-o', 'json')).stdout)).toMatchObject({
      warnings: [{ scaleSetId: testSetId('web'), message: GONE }],
    });
    expect((await command('history', 'web')).stdout).toContain(`warning     ${GONE} Put it back.`);
    expect((await command('journal')).stdout).toContain(`warning: ${GONE}`);
  });
});
