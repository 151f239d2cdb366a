import type { Mutation } from '../mutation.ts';

const claims = { file: 'src/domain/claims.ts', tests: ['domain/claims'] };
const observation = {
  file: 'src/activities/scale-set-observation.ts',
  tests: ['activities/scale-set-waits'],
};

/** Rules D1 and D4: who may not upgrade at the same time. Rule E4: the journal that all of it is proved from. */
export const fleetWide: Mutation[] = [
  {
    rule: 'D1',
    what: 'The regions of a geo-pair do not exclude each other.',
    ...claims,
    find: 'return (left.excludes?.[a] ?? []).includes(b) || (right.excludes?.[b] ?? []).includes(a);',
    replace: 'return a === b && left.group !== right.group;',
    audited: true,
  },
  {
    rule: 'D1',
    what: 'A pair binds only the region that names it.',
    ...claims,
    find: ' || (right.excludes?.[b] ?? []).includes(a);',
    replace: ';',
  },
  {
    rule: 'D1',
    what: 'A region begins without asking for leave.',
    file: 'src/activities/region.ts',
    find: "if (next.length > 0 && rollout.kind === 'platform' && !cancelled) {",
    replace: "if (next.length > 0 && rollout.kind === 'gallery' && !cancelled) {",
    tests: ['activities/region'],
    audited: true,
  },
  {
    rule: 'D4',
    what: 'Two zones of a region are upgraded at once.',
    ...claims,
    find: "if (left.rule === 'sameValueShares') return a !== b || a === ALONE;",
    replace: "if (left.rule === 'sameValueShares') return a === ALONE;",
    audited: true,
  },
  {
    rule: 'D4',
    what: 'Automatic upgrades do not ask for a zone.',
    ...observation,
    find: "zonesTakeTurns: attempt.startedBy === 'Platform' || attempt.kind === 'revert',",
    replace: "zonesTakeTurns: attempt.kind === 'revert',",
    audited: true,
  },
  {
    rule: 'D4',
    what: 'A set that waits for long keeps its zone.',
    file: 'src/activities/scale-set.ts',
    find: 'await leaveZone(deps, observation.attempt.id, at);',
    replace: '',
    tests: ['activities/scale-set-waits'],
  },
  {
    rule: 'E4',
    what: 'The journal does not tell how the model was applied in the end.',
    file: 'src/fleet/simulated/plan.ts',
    find: 'change: { appliedModelVersion: scaleSet.modelVersion, ...configured },\n        line: lines.ended(),',
    replace: 'change: { appliedModelVersion: scaleSet.modelVersion, ...configured },',
    tests: ['stores/fleet-operations'],
    audited: true,
  },
  {
    rule: 'E4',
    what: 'A look that is repeated tells of a wait for health once more.',
    file: 'src/ledger/journal.ts',
    find: '[...byKey].filter(([key]) => fresh.has(key)).map',
    replace: '[...byKey].filter(() => fresh.size >= 0).map',
    tests: ['activities/health'],
    audited: true,
  },
  {
    rule: 'E4',
    what: 'Lines of the journal can be removed.',
    file: 'src/database/migrations/001-journal.ts',
    find: "for (const verb of ['update', 'delete']) {",
    replace: "for (const verb of ['update']) {",
    tests: ['stores/ledger-records'],
  },
  {
    rule: 'E4',
    what: 'Lines of the journal can be changed.',
    file: 'src/database/migrations/001-journal.ts',
    find: "for (const verb of ['update', 'delete']) {",
    replace: "for (const verb of ['delete']) {",
    tests: ['stores/ledger-records'],
  },
];
