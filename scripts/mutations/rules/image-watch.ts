import type { Mutation } from '../mutation.ts';

const rule = { file: 'src/domain/pick-up.ts', tests: ['domain/pick-up'] };
const watch = { file: 'src/activities/image-watch.ts', tests: ['activities/image-watch'] };

/** Rules C3, D5 to D7 and D9: what is picked up by itself, and what is not. */
export const imageWatch: Mutation[] = [
  {
    rule: 'D7',
    what: 'A newer version starts beside the rollout that still runs.',
    ...rule,
    find: 'supersedes: open.map(({ rolloutId }) => ({ rolloutId, by: newest, regions: null })),',
    replace: 'supersedes: [],',
  },
  {
    rule: 'D5',
    what: 'A region waits for the rollout of its gallery version in another one.',
    ...rule,
    find: '!one.regions.includes(region) || compareVersions(one.version, version) < 0',
    replace: 'compareVersions(one.version, version) < 0',
  },
  {
    rule: 'C3',
    what: 'A version that is kept out of latest is picked up.',
    ...watch,
    find: '!excludedFromLatest && !held.some',
    replace: 'excludedFromLatest !== null && !held.some',
  },
  {
    rule: 'D7',
    what: 'A version whose rollout was aborted is chosen again.',
    ...watch,
    find: '!held.some((one) => sameImageVersion(one.version, { image, version }))',
    replace: 'held !== null',
  },
  {
    rule: 'D6',
    what: 'A set on which the version has failed is tried again and again.',
    ...watch,
    find: '!judged.eligible || (await triedBefore(deps, rollout, scaleSet, due, at))',
    replace: '!judged.eligible',
  },
  {
    rule: 'D9',
    what: 'What was left behind is recorded under the id of the rollout that has ended.',
    ...watch,
    find: 'const generation = (await ledger.rollouts.lastGeneration(target)) + 1;',
    replace: 'const generation = Math.max(1, await ledger.rollouts.lastGeneration(target));',
  },
  {
    rule: 'D7',
    what: 'Sets of a superseded rollout go on.',
    file: 'src/activities/standing-order.ts',
    find: "if (order?.state === 'superseded') return",
    replace: "if (order?.state === 'superseded' && order.who === '') return",
    tests: ['activities/image-watch'],
  },
  {
    rule: 'D7',
    what: 'A version that broke its canary is not held back.',
    file: 'src/activities/held-everywhere.ts',
    find: 'await hold(deps, rollout, { who: CANARY, why }, at);',
    replace: 'void why;',
    tests: ['activities/image-watch'],
  },
  {
    rule: 'D7',
    what: 'A cancel of everything holds back every version that was under way.',
    file: 'src/activities/held-everywhere.ts',
    find: "if (!ENDED_FOR_GOOD.includes(reason.code) && !(order && order.state === 'cancelled')) return;",
    replace: 'void order;',
    tests: ['activities/image-watch'],
  },
];
