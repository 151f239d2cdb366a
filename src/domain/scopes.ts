/**
 * Scopes: what an order of a person (`pause`, `cancel`) is about. A scope is a text, so that the ledger can keep orders
 * of every level in one place, and everything that acts asks for the orders of all scopes that it lies in.
 *
 * A rollout's id must not itself end in `/phase:<n>` or `/region:<name>`.
 */

/** The scope of everything that there is. */
export const ALL = 'all';

const ROLLOUT = 'rollout:';
const SCALE_SET = 'scale-set:';

export type Scope =
  | { kind: 'all' }
  | { kind: 'rollout'; rolloutId: string }
  | { kind: 'phase'; rolloutId: string; phase: number }
  | { kind: 'region'; rolloutId: string; region: string }
  | { kind: 'scaleSet'; scaleSetId: string };

/** One rollout with all that it does. */
export function rolloutScope(rolloutId: string): string {
  return `${ROLLOUT}${rolloutId}`;
}

/** One phase of a rollout. @param phase 1 is the first */
export function phaseScope(rolloutId: string, phase: number): string {
  return `${ROLLOUT}${rolloutId}/phase:${phase}`;
}

/** What a rollout does in one region. */
export function regionScope(rolloutId: string, region: string): string {
  return `${ROLLOUT}${rolloutId}/region:${region.toLowerCase()}`;
}

/** One scale set, whatever rollout works on it; ARM ids ignore case. */
export function scaleSetScope(scaleSetId: string): string {
  return `${SCALE_SET}${scaleSetId.toLowerCase()}`;
}

/** Every scope that something lies in, the widest first: an order for any of them applies to it. */
export function scopesOf(place: {
  rolloutId: string;
  phase?: number;
  region?: string;
  scaleSetId?: string;
}): string[] {
  const { rolloutId, phase, region, scaleSetId } = place;
  return [
    ALL,
    rolloutScope(rolloutId),
    ...(phase === undefined ? [] : [phaseScope(rolloutId, phase)]),
    ...(region === undefined ? [] : [regionScope(rolloutId, region)]),
    ...(scaleSetId === undefined ? [] : [scaleSetScope(scaleSetId)]),
  ];
}

/** What a scope's text stands for, or null when it is none. Inverse of the functions above. */
export function parseScope(scope: string): Scope | null {
  if (scope === ALL) return { kind: 'all' };
  if (scope.startsWith(SCALE_SET)) {
    const scaleSetId = scope.slice(SCALE_SET.length).toLowerCase();
    return scaleSetId === '' ? null : { kind: 'scaleSet', scaleSetId };
  }
  if (!scope.startsWith(ROLLOUT)) return null;
  const rest = scope.slice(ROLLOUT.length);
  const phase = /^(.+)\/phase:([1-9]\d*)$/s.exec(rest);
  if (phase !== null) return { kind: 'phase', rolloutId: phase[1] as string, phase: Number(phase[2]) };
  const region = /^(.+)\/region:([^/]+)$/s.exec(rest);
  if (region !== null) {
    return { kind: 'region', rolloutId: region[1] as string, region: (region[2] as string).toLowerCase() };
  }
  return rest === '' ? null : { kind: 'rollout', rolloutId: rest };
}

/** How a person reads a scope: `phase 2 of rollout ...`, `scale set web-1 in rg-web`. An unknown one as it is. */
export function scopeLabel(scope: string): string {
  const parsed = parseScope(scope);
  if (parsed === null) return scope;
  switch (parsed.kind) {
    case 'all':
      return 'everything';
    case 'rollout':
      return `rollout ${parsed.rolloutId}`;
    case 'phase':
      return `phase ${parsed.phase} of rollout ${parsed.rolloutId}`;
    case 'region':
      return `region ${parsed.region} of rollout ${parsed.rolloutId}`;
    default:
      return scaleSetLabel(parsed.scaleSetId);
  }
}

function scaleSetLabel(scaleSetId: string): string {
  const parts = scaleSetId.split('/');
  const group = parts[parts.indexOf('resourcegroups') + 1];
  return parts.includes('resourcegroups') && group !== undefined
    ? `scale set ${parts.at(-1)} in ${group}`
    : `scale set ${scaleSetId}`;
}
