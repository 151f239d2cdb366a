import { normaliseRegionName } from '../../domain/region.ts';
import { UsageError } from '../errors.ts';
import { findScaleSet } from '../find.ts';
import type { RehearsalContext } from './context.ts';
import { faultsFrom } from './scenario.ts';

/** What may name a scale set or a region, and where it stands: `faults[0].` */
interface Place {
  path: string;
  scaleSet?: unknown;
  region?: unknown;
}

/**
 * A scenario that names what the fleet does not have would have nothing go wrong, and nobody would notice.
 * @throws UsageError that lists every scale set and region that is not there, with its path in the file
 */
export async function checkNames(context: RehearsalContext): Promise<void> {
  const { scenario, rehearsal, fleet } = context;
  const { label, faults, actions, expect, scaleSet } = scenario;
  const places: Place[] = [
    { path: '', scaleSet },
    ...faults.map((fault, i) => ({ ...fault, path: `faults[${i}].` })),
    ...actions.map((action, i) => ({ ...action, path: `actions[${i}].` })),
    ...Object.keys(expect?.scaleSets ?? {}).map((name) => ({ path: 'expect: ', scaleSet: name })),
  ];
  for (const [i, action] of actions.entries()) {
    if (action.do !== 'faults') continue;
    const path = `actions[${i}].faults`;
    faultsFrom(rehearsal.now, action.faults, `The ${path} of ${label}`);
    places.push(...action.faults.map((fault, j) => ({ ...fault, path: `${path}[${j}].` })));
  }
  const regions = new Set((await fleet.regions()).map(({ name }) => normaliseRegionName(name)));
  const problems: string[] = [];
  for (const { path, scaleSet: name, region } of places) {
    const problem = typeof name === 'string' ? await problemWith(context, name) : null;
    if (problem !== null) problems.push(`  ${path}scaleSet: ${problem}`);
    if (typeof region === 'string' && !regions.has(normaliseRegionName(region)))
      problems.push(`  ${path}region: "${region}" is no region of the fleet`);
  }
  if (problems.length > 0) throw new UsageError(`The ${label} can't be used:\n${problems.join('\n')}`);
}

async function problemWith(context: RehearsalContext, name: string): Promise<string | null> {
  try {
    await findScaleSet(context, name);
    return null;
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}
