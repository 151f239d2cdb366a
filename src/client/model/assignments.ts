import type { Json } from '../../fleet/index.ts';
import { UsageError } from '../errors.ts';
import { problemOfShape } from '../json-file.ts';

/** One change of a model, as `az vmss update --set` writes it: a path and a value. */
export interface Assignment {
  path: string;
  value: unknown;
}

const EXAMPLE =
  'Give <path>=<value>, such as upgradePolicy.mode=Automatic or virtualMachineProfile.storageProfile.imageReference.sku=22_04-lts.';

/** Reads `<path>=<value>`: the value is JSON, or a text as it stands. @throws UsageError */
export function parseAssignment(text: string): Assignment {
  const match = /^((?:[^=[]|\[[^\]]*\])+?)=(.*)$/s.exec(text);
  // Values may be secret: no message repeats one.
  if (match === null) throw new UsageError(`"${text.split('=', 1)[0]}" is no change of a model. ${EXAMPLE}`);
  const [, path = '', written = ''] = match;
  return { path: path.trim(), value: valueOf(written, path) };
}

function valueOf(written: string, path: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(written) as unknown;
  } catch {
    // What looks like JSON and is none was meant to be some.
    if (/^\s*["[{]/.test(written)) throw new UsageError(`The value of ${path} is no JSON: correct it.`);
    return written;
  }
  const problem = problemOfShape(value);
  if (problem !== null) throw new UsageError(`The value of ${path} ${problem}.`);
  return value;
}

/** `name`, `[2]`, `[name=setup]` */
type Step = { key: string } | { index: number } | { field: string; equals: string };

/**
 * A model in wire shape with one property set, or removed by null. Paths may leave `properties` out, as clients do, and
 * spell keys in any case.
 * @throws UsageError that says which part of the path there is not
 */
export function assign(model: Json, { path, value }: Assignment): Json {
  const steps = stepsOf(path);
  return set(model, steps, value, { path, at: '', isResource: true }) as Json;
}

function stepsOf(path: string): Step[] {
  if (!/^[^.[\]]+(\[[^\]]*\])*(\.[^.[\]]+(\[[^\]]*\])*)*$/.test(path)) {
    throw new UsageError(`"${path}" is no path within a model. ${EXAMPLE}`);
  }
  const parts = path.match(/\[[^\]]*\]|[^.[\]]+/g) ?? [];
  return parts.map((part) => {
    if (!part.startsWith('[')) return { key: part };
    const inner = part.slice(1, -1);
    if (/^\d+$/.test(inner)) return { index: Number(inner) };
    const [field = '', ...rest] = inner.split('=');
    if (field !== '' && rest.length > 0) return { field, equals: rest.join('=') };
    throw new UsageError(`"${part}" in "${path}" names no element: give [0], or [name=setup].`);
  });
}

interface Place {
  path: string;
  /** As far as the path was followed. */
  at: string;
  /** The model itself, whose own keys are not in `properties`. */
  isResource: boolean;
}

/** What ARM keeps beside `properties`. */
const RESOURCE_KEYS = new Set([
  ...['id', 'name', 'type', 'location', 'tags', 'zones', 'sku', 'plan', 'identity', 'properties'],
  ...['etag', 'kind', 'managedby', 'extendedlocation', 'systemdata', 'placement'],
]);
const PART_KEYS = new Set(['id', 'name', 'properties']);

function set(there: unknown, [step, ...rest]: readonly Step[], value: unknown, place: Place): unknown {
  if (step === undefined) return value;
  return 'key' in step
    ? setKey(there, step.key, rest, value, place)
    : setElement(there, step, rest, value, place);
}

function setKey(there: unknown, key: string, rest: readonly Step[], value: unknown, place: Place): unknown {
  if (Array.isArray(there)) {
    throw new UsageError(
      `${place.at} in "${place.path}" is a list: name an element, as ${place.at}[0].${key}.`,
    );
  }
  const object: Json = typeof there === 'object' && there !== null ? (there as Json) : {};
  const own = place.isResource ? RESOURCE_KEYS : PART_KEYS;
  const isNested = spelled(object, 'properties') in object || place.isResource;
  if (isNested && !own.has(key.toLowerCase())) {
    const name = spelled(object, 'properties');
    const inner = { ...place, isResource: false };
    return { ...object, [name]: setIn(object[name], key, rest, value, inner) };
  }
  return setIn(object, key, rest, value, place);
}

function setIn(there: unknown, key: string, rest: readonly Step[], value: unknown, place: Place): Json {
  const object: Json = typeof there === 'object' && there !== null ? (there as Json) : {};
  const name = spelled(object, key);
  const at = place.at === '' ? name : `${place.at}.${name}`;
  if (rest.length === 0 && value === null) {
    const { [name]: _removed, ...others } = object;
    return others;
  }
  return { ...object, [name]: set(object[name], rest, value, { ...place, at, isResource: false }) };
}

function setElement(
  there: unknown,
  step: Exclude<Step, { key: string }>,
  rest: readonly Step[],
  value: unknown,
  place: Place,
): unknown {
  const list: unknown[] = Array.isArray(there) ? there : [];
  const index =
    'index' in step
      ? step.index
      : list.findIndex((item) => String((item as Json | null)?.[step.field]) === step.equals);
  if (index < 0 || index > list.length || (index === list.length && rest.length > 0)) {
    const named = 'index' in step ? `[${step.index}]` : `[${step.field}=${step.equals}]`;
    throw new UsageError(`There is no ${place.at}${named}: it has ${describe(list)}.`);
  }
  if (rest.length === 0 && value === null) return list.filter((_, i) => i !== index);
  const at = `${place.at}[${index}]`;
  const changed = set(list[index], rest, value, { ...place, at, isResource: false });
  return [...list.slice(0, index), changed, ...list.slice(index + 1)];
}

function describe(list: readonly unknown[]): string {
  const names = list.map((item, i) => {
    const name = (item as Json | null)?.['name'];
    return typeof name === 'string' ? `[name=${name}]` : `[${i}]`;
  });
  return names.join(', ') || 'no elements';
}

/** The key as the object spells it. */
function spelled(object: Json, key: string): string {
  return Object.keys(object).find((candidate) => candidate.toLowerCase() === key.toLowerCase()) ?? key;
}
