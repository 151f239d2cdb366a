import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resourceUrl } from '../../src/fleet/index.ts';
import { EPOCH } from '../support/fleet.ts';
import { rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';

const EXPIRED = 'https://store.example/expired.sh';
const GONE = 'https://store.example/gone.sh';
const SIGNED = 'https://store.example/signed.sh';
let space: Workspace;
let rollouts: TestRollouts;

beforeEach(async () => {
  space = workspace();
  const past = new Date(EPOCH - 1_000).toISOString();
  const app = { name: 'app', settings: { fileUris: [`${SIGNED}?sig=OLD`] } };
  rollouts = await rolloutsOn(space, [{ name: 'web', region: 'eastus', capacity: 3, extensions: [app] }], {
    externalResources: [
      { url: EXPIRED, credentialExpiresAt: past },
      { url: GONE, goneAt: past },
      { url: `${SIGNED}?sig=OLD`, credentialExpiresAt: past },
      { url: 'https://store.example/open.sh' },
    ],
  });
});
afterEach(async () => {
  await rollouts.close();
  await space.remove();
});

const command = (...args: string[]) => run(args, space, { temporal: rollouts.temporalServer });

interface Shown {
  resources: { url: string; state: string; usedBy: { name: string }[] }[];
}

async function states() {
  const { stdout } = await command('fleet', 'resources', '-o', 'json');
  return (JSON.parse(stdout) as Shown).resources.map(({ url, state, usedBy }) => ({
    url,
    state,
    usedBy: usedBy.map(({ name }) => name),
  }));
}

describe('fleet renew (B11)', () => {
  it('renews a credential that is no part of the URL, whatever token the URL has', async () => {
    const { stdout } = await command(
      ...['fleet', 'renew', `${EXPIRED}?sig=SECRET`, '--until', '2099-01-01', '-o', 'json'],
    );
    expect(stdout).not.toContain('SECRET');
    expect(JSON.parse(stdout)).toEqual({
      renewed: [{ url: EXPIRED, was: 'expired', until: '2099-01-01T00:00:00.000Z', newUrl: null }],
    });
    expect(await rollouts.fleet.externalResources()).toContainEqual({
      url: EXPIRED,
      credentialExpiresAt: Date.parse('2099-01-01'),
      goneAt: null,
    });
  });

  it('renews all that need it, and only those', async () => {
    const { stdout } = await command('fleet', 'renew', '--all-expired');
    expect(stdout).toContain(
      `${EXPIRED} had expired; it opens for ever.\n${GONE} was gone; it opens for ever.\n`,
    );
    expect(stdout).not.toContain('open.sh');
    expect((await command('fleet', 'renew', '--all-expired')).stdout).toContain(
      'No external resource has expired',
    );
  });

  it.each([
    [['https://store.example/other.sh?sig=SECRET'], `It has:\n  ${EXPIRED} (expired)`],
    [[EXPIRED, '--until', '2001-01-01'], 'which is past'],
    [[EXPIRED, '--until', 'soon'], '--until is "soon", which is no time'],
    [[], 'Give the URL of a resource, or --all-expired.'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await command('fleet', 'renew', ...args);
    expect(code).toBe(64);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('SECRET');
  });

  it('gives out a new token where the old one is part of the URL: the model must be given it', async () => {
    const { stdout } = await command('fleet', 'renew', SIGNED);
    const newUrl = /this URL:\n {2}(.*)\n/.exec(stdout)?.[1] ?? '';
    expect(newUrl).toMatch(/^https:\/\/store\.example\/signed\.sh\?sig=\w+$/);
    const stateOf = async () => (await states()).filter(({ url }) => url.startsWith(SIGNED));
    const [old, fresh] = [resourceUrl(`${SIGNED}?sig=OLD`), resourceUrl(newUrl)];
    expect(await stateOf()).toEqual(
      [
        { url: old, state: 'expired', usedBy: ['web'] },
        { url: fresh, state: 'ok', usedBy: [] },
      ].toSorted((a, b) => (a.url < b.url ? -1 : 1)),
    );
    expect((await command('fleet', 'resources')).stdout).toContain('Give it the new URL: rollouts model set');
    const path = 'virtualMachineProfile.extensionProfile.extensions[name=app].settings.fileUris';
    await command('model', 'set', 'web', `${path}=["${newUrl}"]`);
    expect(await stateOf()).toContainEqual({ url: fresh, state: 'ok', usedBy: ['web'] });
    await command('model', 'set', 'web', `${path}=["${SIGNED}?sig=MISTYPED"]`);
    expect(await stateOf()).toContainEqual({
      url: resourceUrl(`${SIGNED}?sig=MISTYPED`),
      state: 'refused',
      usedBy: ['web'],
    });
  });
});

describe('fleet resources', () => {
  it('shows what is wrong first to the eye, who uses it, and no token', async () => {
    const { stdout } = await command('fleet', 'resources');
    expect(stdout).toContain('4 external resources at ');
    expect(stdout).toMatch(
      /^EXPIRED +expired 2026-01-05 09:59:59 +web +https:\/\/store.example\/signed.sh\?\(token /m,
    );
    expect(stdout).toMatch(/^GONE +gone since 2026-01-05 09:59:59 +- +https:\/\/store.example\/gone.sh$/m);
    expect(stdout).toMatch(/^ok +opens for ever +- +https:\/\/store.example\/open.sh$/m);
    expect(stdout).toContain(
      `! web: extensions that need it fail (rule B11). Renew it: rollouts fleet renew ${SIGNED}`,
    );
    expect(stdout).not.toContain(`fleet renew ${GONE}`);
    expect(stdout).not.toContain('OLD');
  });
});
