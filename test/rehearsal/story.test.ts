import { describe, expect, it } from 'vitest';
import { rehearsalText, type ShownRehearsal } from '../../src/client/cli/rehearsal-text.ts';
import type { SetResult } from '../../src/client/index.ts';
import { faultLine } from '../../src/client/rehearsal/fault-lines.ts';
import { faultsFrom } from '../../src/client/rehearsal/scenario.ts';
import { HOUR, MINUTE } from '../../src/domain/clock.ts';
import { endText } from '../../src/rehearsal/timeline/journal-lines.ts';
import { momentText } from '../../src/rehearsal/timeline/step-lines.ts';
import { timelineText } from '../../src/rehearsal/timeline/timeline.ts';
import { EPOCH, NEW_VERSION, OLD_VERSION } from '../support/fleet.ts';

const URL = 'https://store.example/app.sh';

describe('a fault, as the story tells it', () => {
  it.each([
    [{ kind: 'neverHealthy', version: '2' }, 'no VM will ever get healthy on 2'],
    [
      { kind: 'neverHealthy', version: '2', scaleSet: 'web', instances: ['1', '3'] },
      'VM 1, 3 of web will never get healthy on 2',
    ],
    [
      { kind: 'slowHealth', seconds: 200, share: 0.2, region: 'eastus' },
      '20 % of the VMs of eastus will get healthy 3 min 20 s later than usual',
    ],
    [{ kind: 'slowBoot', seconds: 60, version: '2' }, 'all VMs will boot 1 min longer than usual on 2'],
    [
      { kind: 'extensionFails', extension: 'app', scaleSet: 'web' },
      'extension app will fail on all VMs of web',
    ],
    [{ kind: 'swapFails', times: 1 }, 'new OS disks of all VMs cannot be attached, once'],
    [
      { kind: 'restoreFails', times: 2, instances: ['9'] },
      'old OS disks of VM 9 cannot be attached again, 2 times',
    ],
    [{ kind: 'credentialExpired', url: URL, at: '0' }, `the credential of ${URL} has expired`],
    [{ kind: 'resourceGone', url: URL, at: '0' }, `${URL} is gone`],
    [{ kind: 'flapping', periodSeconds: 40 }, 'all VMs will flap: healthy for 20 s, ill for 20 s'],
    [
      { kind: 'outage', from: '0', to: '2h', zone: '2', region: 'eastus' },
      'all VMs in zone 2 of eastus go down until 2026-01-05 12:00:00',
    ],
    [
      { kind: 'apiError', operation: 'osDisk.swap', times: 3, effect: 'before', scaleSet: 'web' },
      'the API will fail before it does anything: osDisk.swap on web, 3 times',
    ],
  ])('%j', (fault, what) => {
    const [parsed] = faultsFrom(EPOCH, [fault], 'The faults');
    if (!parsed) throw new Error('There is no fault.');
    expect(faultLine(parsed, EPOCH)).toEqual({ at: EPOCH, what });
  });

  it('is told when it shows, not when it was planned', () => {
    const faults = [{ kind: 'outage', from: '1h', to: '2h' }];
    const [outage] = faultsFrom(EPOCH, faults, 'The faults');
    expect(outage && faultLine(outage, EPOCH).at).toBe(EPOCH + HOUR);
  });
});

describe('the story', () => {
  it('puts VMs to which the same happens at once in one line, and each day under its date', () => {
    const line = (at: number, vm: string | null, what: string) => ({ at, where: 'eastus/web', vm, what });
    const late = EPOCH + 13.9 * HOUR;
    expect(
      timelineText([
        line(late, '1', 'goes back'),
        line(late, '2', 'goes back'),
        line(late, '2', 'is given up'),
        { at: late + 10 * MINUTE, where: 'rollout', vm: null, what: 'Completed' },
      ]),
    ).toBe(
      [
        '2026-01-05',
        '23:54:00  eastus/web  VM 1, 2: goes back',
        '23:54:00  eastus/web  VM 2: is given up',
        '',
        '2026-01-06',
        '00:04:00  rollout     Completed',
      ].join('\n'),
    );
  });

  it('names the day of a moment that is on another one', () => {
    expect(momentText(EPOCH + HOUR, EPOCH)).toBe('11:00:00');
    expect(momentText(EPOCH + 24 * HOUR, EPOCH)).toBe('2026-01-06 10:00:00');
  });

  it.each([
    ['Cancelled', 'Cancelled: Cancelled by ada: no', 'Cancelled by ada: no'],
    ['Cancelled', 'Aborted: Aborted by ada: no', 'Cancelled: Aborted by ada: no'],
    ['Halted', 'Exceeded: Phase 1: 1 of 10 failed', 'Halted: Exceeded: Phase 1: 1 of 10 failed'],
  ])('says nothing twice: %s, %s', (status, reason, text) => {
    expect(endText(status, reason)).toBe(text);
  });
});

describe('the table of many scale sets', () => {
  const result = (name: string, change: Partial<SetResult> = {}): SetResult => ({
    ...{ scaleSetId: name, name, region: 'eastus', status: 'upgraded', reason: null, instances: 3 },
    ...{ upgraded: 3, restored: 0, failed: 0, quarantined: 0, reverted: 0, versions: { [NEW_VERSION]: 3 } },
    ...change,
  });
  const textOf = (scaleSets: SetResult[]) =>
    rehearsalText({
      ...{ name: 'x', description: 'y', onCopy: true, outcome: 'Halted', reason: null, rolloutId: null },
      ...{ startedAt: EPOCH, endedAt: EPOCH, rollouts: [], actions: [], timeline: null, differences: null },
      audit: { checks: [], violations: [], open: [], counts: { lines: 0, leftOut: 0 } },
      scaleSets,
    } as unknown as ShownRehearsal);

  it('shows those that went otherwise than well, and counts the rest', () => {
    const many = Array.from({ length: 29 }, (_, i) => result(`fine-${i}`));
    const restored = result('sick', {
      upgraded: 2,
      restored: 1,
      versions: { [OLD_VERSION]: 1, [NEW_VERSION]: 2 },
    });
    const text = textOf([...many, restored, result('late', { status: 'waiting' })]);
    expect(text).toMatch(
      /^sick +eastus +upgraded +3 +2 +1 +1 on 22\.04\.202511010, 2 on 22\.04\.202512050$/m,
    );
    expect(text).toMatch(/^late +eastus +waiting/m);
    expect(text).toMatch(/^and 29 sets more, upgraded$/m);
    expect(text).not.toContain('fine-');
    expect(textOf(many)).toContain('fine-28');
  });
});
