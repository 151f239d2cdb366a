import { isModelFault } from '../domain/operation.ts';
import { check, ofLife, type Checked } from './report.ts';
import { endOf, failureOf, isGone, isSettled, startsOf, type AttemptStory, type Life } from './story.ts';

/** What was right or wrong about what was done to each instance (rules B4 to B6, B10, E4). */
export function checkInstances(attempts: readonly AttemptStory[]): Checked[] {
  const all = attempts.flatMap((attempt) => attempt.lives.map((life) => ({ attempt, life })));
  const ended = all.filter(({ attempt }) => attempt.end !== null);
  const healthy = all.filter(({ life }) => endOf(life, 'health.wait', 'succeeded'));
  const restored = all.filter(({ life }) => startsOf(life, 'osDisk.restore').length > 0);
  const failed = ended.filter(({ attempt, life }) => attempt.restoresOnFailure && failureOf(life));
  return [
    check('B4', 'Disk, then model, then extensions.', 'VM', all, outOfOrder),
    check('B4', 'No instance is swapped twice in one attempt.', 'VM', all, swappedTwice),
    check('B4', 'No instance is left without an OS disk.', 'VM', ended, leftWithoutDisk),
    check('B5', 'Healthy within the time-out, counted from the last extension.', 'VM', healthy, tooLate),
    check('B6', 'Nobody is restored who was healthy in time.', 'VM', restored, restoredThoughHealthy),
    check('B6', 'Only automatic upgrades and repairs restore.', 'VM', restored, restoredByHand),
    check('B6', 'Whoever is restored is back on what it ran before.', 'VM', restored, restoredElsewhere),
    check('B6', 'Automatic upgrades restore whoever fails.', 'VM', failed, notRestored),
    check('B10', 'Nobody is swapped who runs the target already.', 'VM', all, needlessSwap),
    check('E4', 'What is begun ends once, and not before it began.', 'VM', all, brokenOperation),
    check('E4', 'Nothing that was begun is left open.', 'VM', ended, unfinished),
  ];
}

interface Case {
  attempt: AttemptStory;
  life: Life;
}

const ORDER = ['osDisk.swap', 'model.apply', 'extension.run', 'health.wait'];

function outOfOrder({ life }: Case) {
  const starts = life.entries.filter((e) => e.event === 'started' && ORDER.includes(e.operation));
  for (const [i, entry] of starts.entries()) {
    const before = starts[i - 1];
    // The wait is told when it is known; its moment is that of the last extension's end.
    if (before && ORDER.indexOf(entry.operation) < ORDER.indexOf(before.operation) && entry.at > before.at) {
      return ofLife(life, entry.at, `${entry.operation} came after ${before.operation}.`);
    }
  }
  return null;
}

function swappedTwice({ life }: Case) {
  const swaps = startsOf(life, 'osDisk.swap');
  return swaps.length > 1 ? ofLife(life, swaps[1]?.at ?? null, `swapped ${swaps.length} times.`) : null;
}

/** While its attempt runs, an operation may be under way; of an instance that was deleted nothing more is told. */
function leftWithoutDisk({ attempt, life }: Case) {
  if (isGone(attempt, life)) return null;
  for (const operation of ['osDisk.swap', 'osDisk.restore'] as const) {
    const [start] = startsOf(life, operation);
    const end = endOf(life, operation, 'succeeded') ?? endOf(life, operation, 'failed');
    if (start && !end) return ofLife(life, start.at, `its ${operation} has no end.`);
  }
  return null;
}

/** Rule E4: as above, for whatever was begun. */
function unfinished({ attempt, life }: Case) {
  if (isGone(attempt, life) || isSettled(life)) return null;
  return ofLife(life, life.entries.at(-1)?.at ?? null, 'something that was begun has no end.');
}

function needlessSwap({ attempt, life }: Case) {
  if (attempt.kind !== 'osUpgrade' && attempt.kind !== 'revert') return null;
  const swap = startsOf(life, 'osDisk.swap').find((entry) => entry.fromVersion === entry.toVersion);
  return swap ? ofLife(life, swap.at, `it ran ${swap.toVersion} already.`) : null;
}

function tooLate({ attempt, life }: Case) {
  const [wait] = startsOf(life, 'health.wait');
  const healthy = endOf(life, 'health.wait', 'succeeded');
  if (!wait || !healthy) return null;
  const took = healthy.at - wait.at;
  if (took > attempt.healthTimeout) return ofLife(life, healthy.at, `healthy only after ${took / 1000} s.`);
  const configured = life.entries
    .filter(
      (e) =>
        e.event === 'succeeded' && ['model.apply', 'extension.run', 'osDisk.restore'].includes(e.operation),
    )
    .filter((e) => e.at <= healthy.at);
  const last = Math.max(...configured.map((e) => e.at), -Infinity);
  return last === wait.at || last === -Infinity
    ? null
    : ofLife(life, wait.at, 'the wait did not begin at the end of its last extension.');
}

function restoredThoughHealthy({ attempt, life }: Case) {
  const [restore] = startsOf(life, 'osDisk.restore');
  const healthy = endOf(life, 'health.wait', 'succeeded');
  if (!restore || !healthy || attempt.kind === 'repair') return null;
  return ofLife(life, restore.at, 'restored although it was healthy in time.');
}

function restoredByHand({ attempt, life }: Case) {
  const [restore] = startsOf(life, 'osDisk.restore');
  const rollsBack = attempt.startedBy === 'Platform' && attempt.policy.rollbackFailedInstancesOnPolicyBreach;
  if (!restore || attempt.restoresOnFailure || rollsBack || attempt.kind === 'repair') return null;
  return ofLife(
    life,
    restore.at,
    `restored in ${attempt.startedBy === 'User' ? 'a manual' : 'this'} attempt.`,
  );
}

function restoredElsewhere({ attempt, life }: Case) {
  const [swap] = startsOf(life, 'osDisk.swap');
  const restored = endOf(life, 'osDisk.restore', 'succeeded');
  if (!restored || attempt.kind === 'repair') return null;
  if (!swap) return ofLife(life, restored.at, 'restored without a swap.');
  return restored.toVersion === swap.fromVersion
    ? null
    : ofLife(life, restored.at, `restored to ${restored.toVersion}, it ran ${swap.fromVersion} before.`);
}

function notRestored({ attempt, life }: Case) {
  if (!attempt.restoresOnFailure || endOf(life, 'health.wait', 'succeeded')) return null;
  const failure = failureOf(life);
  if (!failure || life.entries.some((entry) => isModelFault(entry.error))) return null;
  // A swap that failed has put the old disk back itself.
  const swapped = endOf(life, 'osDisk.swap', 'succeeded');
  if (!swapped || startsOf(life, 'osDisk.restore').length > 0 || isGone(attempt, life)) return null;
  return ofLife(life, failure.at, `not restored after ${failure.error ?? 'it failed'}`);
}

function brokenOperation({ life }: Case) {
  const open = new Map<string, number>();
  for (const { operation, detail, event, at } of life.entries) {
    const key = detail === null ? operation : `${operation} ${detail}`;
    if (event === 'started') {
      if (open.has(key)) return ofLife(life, at, `${key} started twice.`);
      open.set(key, at);
      continue;
    }
    const start = open.get(key);
    if (start === undefined) return ofLife(life, at, `${key} ended without a start.`);
    if (start === Infinity) return ofLife(life, at, `${key} ended twice.`);
    open.set(key, Infinity);
  }
  return null;
}
