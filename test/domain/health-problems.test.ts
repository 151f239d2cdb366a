import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/clock.ts';
import { isSteadilyHealthy } from '../../src/domain/health.ts';
import { healthProblems } from '../../src/domain/health-problems.ts';
import type { Instance } from '../../src/domain/scale-set.ts';
import { HEALTHY } from '../support/health.ts';

const healthy: Instance = { ...HEALTHY, seenAt: 60 * MINUTE, readingInterval: MINUTE };

const codes = (change: Partial<Instance>, readings = 2) =>
  healthProblems({ ...healthy, ...change }, readings).map(({ code }) => code);

describe('the causes for which an instance is not healthy (rule B5)', () => {
  const fault = { code: 'ExtensionFailed', message: 'exit code 3' };
  it.each<[string, Partial<Instance>, string[]]>([
    ['nothing is wrong', {}, []],
    ['it has no health signal', { applicationHealth: 'none' }, []],
    ['it is deallocated', { powerState: 'deallocated' }, ['NotRunning']],
    ['it starts', { powerState: 'starting' }, ['Starting']],
    ['it has no OS disk', { osDisk: null, provisioningState: 'Updating' }, ['NoOsDisk', 'Provisioning']],
    ['it failed', { provisioningState: 'Failed' }, ['ProvisioningFailed']],
    [
      'an extension runs',
      {
        extensions: [
          { name: 'a', state: 'succeeded' },
          { name: 'b', state: 'creating' },
        ],
      },
      ['ExtensionRunning'],
    ],
    [
      'an extension failed, and the next was not run',
      {
        extensions: [
          { name: 'a', state: 'failed', error: fault },
          { name: 'b', state: 'notRun' },
        ],
      },
      ['ExtensionFailed', 'ExtensionNotRun'],
    ],
    ['the application is unhealthy', { applicationHealth: 'unhealthy' }, ['ApplicationUnhealthy']],
    ['the application is unknown', { applicationHealth: 'unknown' }, ['ApplicationUnknown']],
    ['the application initializes', { applicationHealth: 'initializing' }, ['ApplicationInitializing']],
    [
      'it is healthy for too short',
      { healthyStretches: [{ from: 59.5 * MINUTE, to: null }] },
      ['TooFewReadings'],
    ],
    ['it was never read', { healthyStretches: [] }, ['TooFewReadings']],
  ])('%s', (_, change, expected) => {
    expect(codes(change)).toEqual(expected);
  });

  it('are told with names, errors and moments', () => {
    const told = (change: Partial<Instance>) => healthProblems({ ...healthy, ...change }, 2)[0]?.message;
    expect(told({ extensions: [{ name: 'app', state: 'failed', error: fault }] })).toBe(
      'Extension app has failed with ExtensionFailed: exit code 3.',
    );
    expect(told({ healthyStretches: [{ from: 59.5 * MINUTE, to: null }] })).toBe(
      'It is healthy since 1970-01-01T00:59:30.000Z, and needs 2 healthy readings in a row (one every 1 min): healthy at 1970-01-01T01:00:30.000Z if it stays so.',
    );
  });

  it('are none exactly when it counts as healthy', () => {
    const instances = fc.record({
      powerState: fc.constantFrom('running', 'starting', 'stopped', 'deallocated'),
      provisioningState: fc.constantFrom('Succeeded', 'Creating', 'Updating', 'Failed'),
      applicationHealth: fc.constantFrom('healthy', 'unhealthy', 'unknown', 'initializing', 'none'),
      osDisk: fc.constantFrom(healthy.osDisk, null),
      extensions: fc.constantFrom([], [{ name: 'a', state: 'failed' as const }], healthy.extensions),
      healthyStretches: fc.constantFrom(
        [],
        [{ from: 0, to: 1 }],
        [{ from: 0, to: null }],
        [{ from: 58 * MINUTE, to: null }],
        [
          { from: 0, to: 9 * MINUTE },
          { from: 60 * MINUTE, to: null },
        ],
      ),
    } satisfies { [Name in keyof Instance]?: fc.Arbitrary<Instance[Name]> });
    fc.assert(
      fc.property(instances, fc.integer({ min: 1, max: 4 }), (change, readings) => {
        const instance = { ...healthy, ...change };
        expect(healthProblems(instance, readings).length === 0).toBe(isSteadilyHealthy(instance, readings));
      }),
    );
  });
});
