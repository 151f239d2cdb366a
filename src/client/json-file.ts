import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { UsageError } from './errors.ts';

/**
 * Reads a file of JSON that a person wrote.
 * @param what what the file should be, for messages: `The plan file`
 * @throws UsageError when it is not there or no JSON
 */
export async function readJsonFile(path: string, what: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' ? 'does not exist' : `can't be read (${code ?? message})`;
    throw new UsageError(`${what} ${path} ${problem}. Check the path; it is relative to ${process.cwd()}.`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const { message } = error as Error;
    throw new UsageError(`${what} ${path} is no JSON: ${message}${lineOf(message, text)}. Correct it there.`);
  }
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
