import type { Mutation } from './mutation.ts';

const tests = ['replay/replay'];

/**
 * No rule of the product, but as much of a promise: open workflows go on with a later release. Each changes what a workflow asks of
 * the server, or when, in a way that a person might well make, and the replay of recorded histories has to find it.
 */
export const replay: Mutation[] = [
  {
    rule: 'REPLAY',
    what: 'A batch runs the extensions before it replaces the disks.',
    file: 'src/workflows/loops/batch.ts',
    find: "  if (input.action === 'swap') await swap(input, host, size);",
    replace:
      "  if (input.action === 'swap') await configure(input, host, size);\n  if (input.action === 'swap') await swap(input, host, size);",
    tests,
  },
  {
    rule: 'REPLAY',
    what: 'A look at the health of a batch becomes an activity of its own.',
    file: 'src/workflows/activities.ts',
    find: 'checkHealth: look(looks.checkHealth),',
    replace: 'checkHealth: look(steps.checkHealth),',
    tests,
  },
  {
    rule: 'REPLAY',
    what: 'Every call about a set is preceded by a timer.',
    file: 'src/workflows/loops/patience.ts',
    find: '      return await call(given);',
    replace: "      await watch.sleepUntil(watch.now + 1, 'a moment');\n      return await call(given);",
    tests,
  },
  {
    rule: 'REPLAY',
    what: 'A set waits a minute before every batch.',
    file: 'src/workflows/loops/scale-set.ts',
    find: "      case 'batch':\n",
    replace: "      case 'batch':\n        await watch.sleepUntil(watch.now + 60_000, 'a minute');\n",
    tests,
  },
  {
    rule: 'REPLAY',
    what: 'A region has its sets go on under other ids.',
    file: 'src/workflows/region-rollout.ts',
    find: '        workflowId: scaleSetRolloutId(scaleSetId),\n',
    replace: '        workflowId: `${scaleSetRolloutId(scaleSetId)}/2`,\n',
    tests,
  },
  {
    rule: 'REPLAY',
    what: 'A phase does not bake.',
    file: 'src/workflows/phase-rollout.ts',
    find: '  while (watch.now < until) {',
    replace: '  while (watch.now < 0 * until) {',
    tests,
  },
  {
    rule: 'REPLAY',
    what: 'A rollout asks for orders only after a phase.',
    file: 'src/workflows/image-rollout.ts',
    find: '      const cancelled = await this.#waitWhilePaused();\n      if (cancelled) return cancelled;\n',
    replace: '',
    tests,
  },
  {
    rule: 'REPLAY',
    what: 'A set that ends is not marked so for those who search.',
    file: 'src/workflows/scale-set-rollout.ts',
    find: '    upsertSearchAttributes([{ key: searchAttributes.status, value: result.status }]);\n',
    replace: '',
    tests,
  },
];
