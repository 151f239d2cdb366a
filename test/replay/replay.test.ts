import { readFileSync } from 'node:fs';
import { Worker, type ReplayResult, type WorkflowBundle } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import * as workflows from '../../src/workflows/index.ts';
import * as messages from '../../src/workflows/messages.ts';
import { workflowBundle } from '../support/rollout.ts';
import { installQuietRuntime } from '../support/temporal.ts';
import { SCRUBBED, recordedHistories, type History, type RecordedHistory } from './histories.ts';

/*
 * Histories recorded with earlier releases (`npm run record-histories`), replayed on the workflow code as it is now: an open
 * workflow of that release could go on with this one.
 */

const histories = await recordedHistories();

let bundle: WorkflowBundle;
beforeAll(async () => {
  installQuietRuntime();
  bundle = await workflowBundle();
});

/** Replays histories one after the other. @returns why each cannot be replayed, or null, by its name */
async function replay(recorded: readonly RecordedHistory[]): Promise<Record<string, string | null>> {
  const input = recorded.map(({ name, workflowId, history }) => ({ name, workflowId, history }));
  const results: ReplayResult[] = [];
  for await (const result of Worker.runReplayHistories({ workflowBundle: bundle }, input))
    results.push(result);
  return Object.fromEntries(recorded.map(({ name }, i) => [name, problemOf(results[i])]));
}

function problemOf(result: ReplayResult | undefined): string | null {
  if (result === undefined) return 'was not replayed';
  return result.error ? `${result.error.name}: ${result.error.message}` : null;
}

describe('the workflow code', () => {
  it('goes on with every history that was ever recorded', async () => {
    expect(histories.length).toBeGreaterThan(0);
    const problems = Object.entries(await replay(histories)).filter(([, problem]) => problem !== null);
    const advice =
      'Open workflows of that release would be stuck: change workflow code behind `patched` (docs/operations.md).';
    const told = problems.map(([name, problem]) => `${name}: ${problem}`).join('\n');
    expect(problems, `${told}\n${advice}`).toEqual([]);
  });

  for (const [what, change] of [
    ['an activity is another one', renameActivities],
    ['a child is of another workflow', renameChildren],
  ] as const) {
    it(`is found not to go on with a history in which ${what}`, async () => {
      const changed = histories.flatMap((recorded) => {
        const history = structuredClone(recorded.history);
        return change(history) ? [{ ...recorded, history }] : [];
      });
      expect(changed.length).toBeGreaterThan(0);
      for (const [name, problem] of Object.entries(await replay(changed))) {
        expect(problem, name).toMatch(/determinism/i);
      }
    });
  }
});

describe('the recorded histories', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const ofRelease = histories.filter(({ name }) => name.startsWith(`${version}/`));
  const events = ofRelease.flatMap(({ history }) => history.events);

  it('of this release are of every workflow that the worker has', () => {
    const kinds = events.flatMap(
      ({ workflowExecutionStartedEventAttributes: started }) => started?.workflowType.name ?? [],
    );
    expect([...new Set(kinds)].toSorted()).toEqual(Object.keys(workflows).toSorted());
  });

  it('tell of every message that the workflows take, but for queries, which leave no trace', () => {
    const signals = events.flatMap(
      (event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? [],
    );
    const updates = events.flatMap(
      (event) => event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name ?? [],
    );
    const taken = Object.values(messages).flatMap((one) =>
      typeof one === 'object' && 'type' in one && one.type !== 'query' ? [one.name] : [],
    );
    expect([...new Set([...signals, ...updates])].toSorted()).toEqual(taken.toSorted());
  });

  it.each([
    ['continues as new', 'workflowExecutionContinuedAsNewEventAttributes'],
    ['is cancelled through Temporal', 'workflowExecutionCancelRequestedEventAttributes'],
    ['waits', 'timerStartedEventAttributes'],
    ['is woken before its timer fires', 'timerCanceledEventAttributes'],
    ['runs an activity', 'activityTaskScheduledEventAttributes'],
    ['is refused by an activity', 'activityTaskFailedEventAttributes'],
    ['has a child', 'startChildWorkflowExecutionInitiatedEventAttributes'],
    ['changes what it can be found by', 'upsertWorkflowSearchAttributesEventAttributes'],
  ])('tell of a workflow that %s', (_, attributes) => {
    expect(events.some((event) => attributes in event)).toBe(true);
  });

  it.each(histories)('$name tells nothing of the machine that it was recorded on', ({ text }) => {
    const identities = [...text.matchAll(/"identity":"([^"]*)"/g)].map((match) => match[1]);
    expect(new Set(identities)).toEqual(new Set([SCRUBBED]));
    // Identities are `<process>@<host>`; SDK names such as `@temporalio/worker@1.24.0` are welcome.
    expect(decoded(text)).not.toMatch(/\b\d+@[\w-]+|\/(home|work|root|tmp|Users)\//);
  });

  it('of a release are small: they are kept for good', () => {
    const sizes = new Map<string, number>();
    for (const { name, text } of histories) {
      const release = name.split('/')[0] as string;
      sizes.set(release, (sizes.get(release) ?? 0) + text.length);
    }
    for (const [release, size] of sizes) expect(size, release).toBeLessThan(400_000);
  });
});

/** A history with its payloads readable: they are base64 in the file. */
function decoded(text: string): string {
  const payloads = [...text.matchAll(/"data":"([^"]*)"/g)].map((match) => match[1] ?? '');
  return [text, ...payloads.map((payload) => Buffer.from(payload, 'base64').toString())].join('\n');
}

function renameActivities({ events }: History): boolean {
  const scheduled = events.flatMap((event) => event.activityTaskScheduledEventAttributes ?? []);
  for (const { activityType } of scheduled) activityType.name += 'Differently';
  return scheduled.length > 0;
}

function renameChildren({ events }: History): boolean {
  const started = events.flatMap((event) => event.startChildWorkflowExecutionInitiatedEventAttributes ?? []);
  for (const { workflowType } of started) workflowType.name += 'Differently';
  return started.length > 0;
}
