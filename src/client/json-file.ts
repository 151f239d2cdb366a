import { readFile, stat } from 'node:fs/promises';
import type { z } from 'zod';
import { UsageError } from './errors.ts';

/** A model and the instance views of 1,000 VMs are some 5 MB. */
const LARGEST_FILE = 256 * 1024 * 1024;
const DEEPEST = 100;

/**
 * Reads a file of JSON that a person wrote.
 * @param what what the file should be, for messages: `The plan file`
 * @throws UsageError when it is not there or no JSON
 */
export async function readJsonFile(path: string, what: string): Promise<unknown> {
  let text: string;
  try {
    text = await readLimited(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' ? 'does not exist' : `can't be read (${code ?? message})`;
    throw new UsageError(`${what} ${path} ${problem}. Check the path; it is relative to ${process.cwd()}.`);
  }
  let data: unknown;
  try {
    data = JSON.parse(text) as unknown;
  } catch (error) {
    const { message } = error as Error;
    throw new UsageError(`${what} ${path} is no JSON: ${message}${lineOf(message, text)}. Correct it there.`);
  }
  const problem = problemOfShape(data);
  if (problem !== null) throw new UsageError(`${what} ${path} ${problem}.`);
  return data;
}

/** @throws UsageError for what is no file, such as a device without an end, and for one that is far too large */
async function readLimited(path: string): Promise<string> {
  const { size, isFile } = await stat(path).then((found) => ({ size: found.size, isFile: found.isFile() }));
  if (!isFile)
    throw new UsageError(`${path} is no file. Check the path; it is relative to ${process.cwd()}.`);
  if (size > LARGEST_FILE) {
    throw new UsageError(
      `${path} has ${size} bytes, and at most ${LARGEST_FILE} are read. Is it the right file?`,
    );
  }
  return readFile(path, 'utf8');
}

/** What is wrong with data that no file of ours looks like, and that would make our own code trip; null if nothing is. Level by level: recursion would end before the data. */
export function problemOfShape(data: unknown): string | null {
  let level: unknown[] = [data];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) return `is nested more than ${DEEPEST} levels deep: flatten it`;
    const objects = level.filter((one): one is object => typeof one === 'object' && one !== null);
    if (objects.some((one) => Object.hasOwn(one, '__proto__'))) return 'has a key "__proto__": remove it';
    level = objects.flatMap((one): unknown[] => Object.values(one));
  }
  return null;
}

/** The engine tells an offset, people look for a line. */
function lineOf(message: string, text: string): string {
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position === undefined || message.includes('line ')) return '';
  const before = text.slice(0, Number(position)).split('\n');
  return ` (line ${before.length}, column ${(before.at(-1) as string).length + 1})`;
}

/**
 * Checks data against a schema; the message names every place by its path within the file.
 * @throws UsageError
 */
export function parseWith<T>(schema: z.ZodType<T>, data: unknown, where: string): T {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `  ${pathText(issue.path)}: ${wordsOf(issue)}`);
  throw new UsageError(`${where} can't be used:\n${problems.join('\n')}`);
}

function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    return `${issue.keys.map((key) => `"${key}"`).join(', ')} is not known here: correct or remove it`;
  }
  // The schema's own words come before ours.
  if (!issue.message.startsWith('Invalid ')) return issue.message;
  if (issue.code === 'invalid_value') return `give ${alternatives(issue.values)}`;
  if (issue.code === 'invalid_union' && 'options' in issue)
    return `give ${alternatives(issue.options ?? [])}`;
  return issue.message;
}

/** `retry`, `one of proceed, retry, abort` */
function alternatives(values: readonly unknown[]): string {
  return `${values.length > 1 ? 'one of ' : ''}${values.map(String).join(', ')}`;
}

/** `phases[1].regions` */
function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '(top level)';
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('');
}
