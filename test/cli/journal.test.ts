import { afterEach, beforeEach, expect, it } from 'vitest';
import { readJournal } from '../../src/client/index.ts';
import type { JournalEntry } from '../../src/domain/operation.ts';
import { EPOCH, testSetId } from '../support/fleet.ts';
import { rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';

let space: Workspace;
let rollouts: TestRollouts;

beforeEach(async () => {
  space = workspace();
  rollouts = await rolloutsOn(space);
});
afterEach(async () => {
  await rollouts.close();
  await space.remove();
});

const entry = (number: number, more: Partial<JournalEntry> = {}): JournalEntry => ({
  at: EPOCH + number * 1000,
  operation: 'health.wait',
  event: 'started',
  scaleSetId: testSetId('web'),
  instanceId: String(number),
  region: 'eastus',
  zone: '1',
  updateDomain: 2,
  rolloutId: 'rollout/x/1.0/1',
  attemptId: 'attempt-1',
  fromVersion: '1.0',
  toVersion: '1.1',
  detail: null,
  error: null,
  ...more,
});

it('prints one JSON object a line, with these keys and no others', async () => {
  await rollouts.ledger.journal.appendOnce([
    entry(0),
    entry(1, { event: 'failed', error: 'HealthTimeout: not healthy', scaleSetId: testSetId('api') }),
  ]);
  const { code, stdout } = await run(['journal', '--output', 'json'], space);
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  const line = JSON.parse(lines[0] as string) as Record<string, unknown>;
  expect(Object.keys(line)).toEqual([
    'seq',
    'at',
    'recordedAt',
    'operation',
    'event',
    'scaleSetId',
    'instanceId',
    'region',
    'zone',
    'updateDomain',
    'rolloutId',
    'attemptId',
    'fromVersion',
    'toVersion',
    'error',
    'detail',
  ]);
  expect(line).toMatchObject({ seq: 1, at: '2026-01-05T10:00:00.000Z', instanceId: '0', error: null });
  expect(Date.parse(line['recordedAt'] as string)).toBeCloseTo(Date.now(), -5);
});

it('reads page after page, and only what was asked for', async () => {
  await rollouts.ledger.journal.appendOnce(Array.from({ length: 2_500 }, (_, number) => entry(number)));
  await rollouts.ledger.journal.appendOnce([entry(9_999, { scaleSetId: testSetId('api') })]);
  const all: number[] = [];
  for await (const { seq } of readJournal(rollouts)) all.push(seq);
  expect(all).toEqual(Array.from({ length: 2_501 }, (_, index) => index + 1));
  const api = await run(['journal', '--scale-set', 'api', '-o', 'json'], space);
  expect(api.stdout.trimEnd().split('\n')).toHaveLength(1);
  const last = await run(['journal', '--after', '2500'], space);
  expect(last.stdout).toMatch(
    /^ {2}2501 {2}2026-01-05 12:46:39 {2}eastus\/api\/9999 +zone 1 ud 2 {2}health\.wait +started +1\.0 -> 1\.1\n$/,
  );
});
