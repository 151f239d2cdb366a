import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mutated, type Mutation } from './mutation.ts';

/** A copy of the repository, in which one mutation after the other is tried. */
export interface Tree {
  root: string;
  /** Runs `work` while the mutation is in place. */
  withMutation<T>(mutation: Mutation, work: () => Promise<T>): Promise<T>;
  remove(): void;
}

/** Copies the repository as it stands, uncommitted changes and new files with it; packages are shared. */
export function copyTree(repository: string): Tree {
  const root = mkdtempSync(join(tmpdir(), 'mutations-'));
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: repository,
    encoding: 'utf8',
  });
  const files = listed.split('\0').filter((file) => file !== '' && existsSync(join(repository, file)));
  for (const file of files) cpSync(join(repository, file), join(root, file));
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
  return {
    root,
    remove: () => rmSync(root, { recursive: true, force: true }),
    withMutation: async (mutation, work) => {
      const path = join(root, mutation.file);
      const original = readFileSync(path, 'utf8');
      writeFileSync(path, mutated(original, mutation));
      try {
        return await work();
      } finally {
        writeFileSync(path, original);
      }
    },
  };
}
