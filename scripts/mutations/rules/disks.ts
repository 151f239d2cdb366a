import type { Mutation } from '../mutation.ts';

const disks = { file: 'src/fleet/simulated/plan-disk.ts', tests: ['stores/fleet-disks'] };
const extensions = { file: 'src/fleet/simulated/plan-extensions.ts', tests: ['stores/fleet-operations'] };
const order = {
  file: 'src/fleet/extension-order.ts',
  tests: ['stores/fleet-model', 'stores/fleet-operations'],
};
const steps = { file: 'src/activities/batch.ts', tests: ['activities/batch'] };
const health = { file: 'src/activities/health.ts', tests: ['activities/health'] };

/** Rule B4: what happens to an instance. */
export const instances: Mutation[] = [
  {
    rule: 'B4',
    what: 'Data disks are lost with the OS disk.',
    ...disks,
    find: "change: { osDisk, power: 'starting', dataDisks: withLettersAfterSwap(input) } },",
    replace: "change: { osDisk, power: 'starting', dataDisks: [] } },",
  },
  {
    rule: 'B4',
    what: 'Drive letters change although a boot script keeps them.',
    ...disks,
    find: "if (scaleSet.osType !== 'Windows' || scaleSet.keepsDriveLetters) return before.dataDisks;",
    replace: "if (scaleSet.osType !== 'Windows') return before.dataDisks;",
  },
  {
    rule: 'B4',
    what: 'Data disks get drive letters on Linux.',
    ...disks,
    find: "if (scaleSet.osType !== 'Windows' || scaleSet.keepsDriveLetters) return before.dataDisks;",
    replace: 'if (scaleSet.keepsDriveLetters) return before.dataDisks;',
  },
  {
    rule: 'B4',
    what: 'Drive letters never change on Windows: nobody would notice that a boot script is missing.',
    ...disks,
    find: 'if (scaleSet.osType !==',
    replace: 'if (scaleSet.osType !== "" || scaleSet.osType !==',
  },
  {
    rule: 'B4',
    what: 'The OS disk that was there is patched in place, and no new one is made.',
    ...disks,
    find: 'const osDisk: OsDisk = { id: newDiskId(input), source: target, createdAt: arrivesAt };',
    replace:
      'const osDisk: OsDisk = { id: before.osDisk?.id ?? newDiskId(input), source: target, createdAt: arrivesAt };',
  },
  {
    rule: 'B4',
    what: 'The previous OS disk is thrown away at once.',
    ...disks,
    find: 'const previous = keep(before);',
    replace: 'const previous = keep({ ...before, osDisk: null });',
  },
  {
    rule: 'B4',
    what: 'An instance gets another address with its new OS disk.',
    file: 'src/fleet/simulated/state.ts',
    find: 'Object.assign(next, change);',
    replace:
      "Object.assign(next, change, change.osDisk ? { identity: { ...next.identity, privateIpAddress: '10.0.0.9' } } : {});",
    tests: ['stores/fleet-disks'],
  },
  {
    rule: 'B4',
    what: 'Custom data does not run on the new OS disk.',
    file: 'src/fleet/simulated/plan.ts',
    find: "scaleSet.hasCustomData ? 'customData' : null",
    replace: 'null',
    tests: ['stores/fleet-disks'],
  },
  {
    rule: 'B4',
    what: 'The model is run through, and not applied.',
    file: 'src/fleet/simulated/plan.ts',
    find: 'change: { appliedModelVersion: scaleSet.modelVersion, ...configured },',
    replace: 'change: { ...configured },',
    tests: ['stores/fleet-models'],
  },
  {
    rule: 'B4',
    what: 'Extensions run in the order in which the model lists them.',
    ...extensions,
    find: "const order = 'order' in sorted ? sorted.order : [];",
    replace: "const order = 'order' in sorted ? scaleSet.extensions : [];",
  },
  {
    rule: 'B4',
    what: 'Extensions run all at once.',
    ...extensions,
    find: "now += duration(input, 'extensionRun', version ?? '', extension.name);",
    replace: "now = start + duration(input, 'extensionRun', version ?? '', extension.name);",
  },
  {
    rule: 'B4',
    what: 'Extensions that come after a failed one run all the same.',
    ...extensions,
    find: 'if (error !== undefined) return { steps, endsAt: now, error };',
    replace: '',
    tests: ['stores/fleet-faults'],
  },
  {
    rule: 'B4',
    what: 'A name in provisionAfterExtensions counts in the very same case only.',
    ...order,
    find: 'const needed = byName.get(name.toLowerCase());',
    replace: 'const needed = byName.get(name);',
  },
  {
    rule: 'B4',
    what: 'A model whose extensions wait for each other is taken.',
    file: 'src/fleet/model.ts',
    find: "if ('cycle' in sorted) {",
    replace: "if ('cycle' in sorted && sorted.cycle.length === 0) {",
    tests: ['stores/fleet-model'],
  },
  {
    rule: 'B4',
    what: 'An instance does not wait for the end of one step before the next begins.',
    file: 'src/fleet/simulated/operate.ts',
    find: 'const start = Math.max(now, busyUntil(state) ?? now);',
    replace: 'const start = now;',
    tests: ['stores/fleet-operations'],
  },
  {
    rule: 'B4',
    what: 'An instance whose swap failed is configured as if it were on the target.',
    ...steps,
    find: '.filter(({ osDisk }) => osDisk !== null && sameImageVersion(osDisk.source, input.target))',
    replace: '',
  },
  {
    rule: 'B4',
    what: 'Extensions do not run after the model.',
    ...steps,
    find: ", ['extension.run']);",
    replace: ');',
  },
  {
    rule: 'B4',
    what: 'A swap that was still under way is not waited for: its instance is never configured.',
    ...steps,
    find: "const unfinished = swaps.filter((state) => state.status === 'running');",
    replace: 'const unfinished = swaps.filter(() => false);',
  },
  {
    rule: 'B4',
    what: 'The previous OS disk is kept after the batch was judged, for ever.',
    ...health,
    find: 'if (done.length > 0) await fleet.discardPreviousOsDisks(input.scaleSetId, done, at);',
    replace: '',
  },
  {
    rule: 'B4',
    what: 'The previous OS disk goes before the batch is judged.',
    ...health,
    find: 'const waits = scaleSet ? waitEntries(input, scaleSet, judged) : [];',
    replace:
      'const waits = scaleSet ? waitEntries(input, scaleSet, judged) : [];\n  await deps.fleet.discardPreviousOsDisks(input.scaleSetId, input.instanceIds, at);',
  },
];
