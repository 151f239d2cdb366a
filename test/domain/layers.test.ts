import { readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * The architecture, held by a test: imports go one way only. `domain` knows nothing; workflows know the domain;
 * activities know the two ports; stores know the database; only main files put it all together.
 */

interface Layer {
  /** Files of the layer, from the root of the repository. */
  files: RegExp;
  /** What they may import: a file of the repository, or a package. */
  imports: RegExp[];
  /** What they may import besides by `import type`, which is gone when the program runs. */
  types?: RegExp[];
}

const anyOf = (...packages: string[]) =>
  new RegExp(`^(${packages.map((name) => name.replaceAll('/', '\\/')).join('|')})$`);
const domain = /^src\/domain\//;
const node = /^node:/;

const LAYERS: Record<string, Layer> = {
  // One module needs a library, which must stay out of workflows: see below.
  domain: { files: /^src\/domain\/(?!time-zone\.ts$)/, imports: [domain] },
  timeZones: { files: /^src\/domain\/time-zone\.ts$/, imports: [domain, anyOf('temporal-polyfill')] },
  // Everything that a workflow imports lands in its sandbox.
  workflows: {
    files: /^src\/workflows\//,
    imports: [
      domain,
      /^src\/workflows\//,
      /^src\/temporal\/search-attributes\.ts$/,
      anyOf('@temporalio/workflow', '@temporalio/common'),
    ],
    types: [/^src\/activities\//, /^src\/ledger\/port\.ts$/],
  },
  activities: {
    files: /^src\/activities\//,
    imports: [
      domain,
      /^src\/activities\//,
      /^src\/fleet\/(port|api-error|deadline)\.ts$/,
      /^src\/ledger\/(port|errors)\.ts$/,
      /^src\/workflows\/(messages|ids)\.ts$/,
      anyOf('@temporalio/activity', '@temporalio/common'),
    ],
    types: [anyOf('@temporalio/client')],
  },
  fleet: {
    files: /^src\/fleet\//,
    imports: [domain, node, /^src\/database\//, /^src\/fleet\//, anyOf('zod', 'kysely')],
  },
  ledger: {
    files: /^src\/ledger\//,
    imports: [domain, /^src\/database\//, /^src\/ledger\//, anyOf('zod', 'kysely')],
  },
  // Tells of what the others do, and changes nothing.
  telemetry: {
    files: /^src\/telemetry\//,
    imports: [
      domain,
      node,
      /^src\/telemetry\//,
      /^src\/workflows\/log-subject\.ts$/,
      /^src\/temporal\/ports\.ts$/,
      anyOf('@temporalio/activity', '@temporalio/worker', 'fastify', 'kysely', 'pino', 'prom-client'),
      /^@opentelemetry\//,
      anyOf('@temporalio/interceptors-opentelemetry'),
    ],
    types: [
      /^src\/(activities\/(index|types)|ledger\/port|database\/database)\.ts$/,
      anyOf('@temporalio/client'),
    ],
  },
  // Tells whoever wants to know, by what the ledger says: neither fleet nor Temporal is its business.
  watchers: {
    files: /^src\/watchers\//,
    imports: [domain, node, /^src\/watchers\//],
    types: [/^src\/ledger\/port\.ts$/],
  },
  audit: { files: /^src\/audit\//, imports: [domain, /^src\/audit\//] },
  // Plays Temporal: what it runs is what the workers run.
  rehearsal: {
    files: /^src\/rehearsal\//,
    imports: [
      domain,
      node,
      /^src\/(rehearsal|activities|audit)\//,
      /^src\/workflows\/(loops\/|messages\.ts$|ids\.ts$)/,
      /^src\/(fleet|ledger|database)\//,
      anyOf('@temporalio/common', 'zod', 'kysely'),
    ],
  },
  database: {
    files: /^src\/database\//,
    imports: [domain, /^src\/database\//, node, anyOf('kysely', 'libsql', 'pg')],
    // The columns of the ledger's tables hold the words of its port.
    types: [/^src\/ledger\/port\.ts$/],
  },
};

/** The only files that put implementations together. */
const MAIN_FILES = /^src\/(worker\.ts|arm\/main\.ts|temporal\/main\.ts|client\/cli\/|demo\/|rehearsal\/)/;

/** What stands behind a port, and who besides main files may know it. */
const IMPLEMENTATIONS: { files: RegExp; knownTo: RegExp }[] = [
  { files: /^src\/fleet\/simulated\//, knownTo: /^src\/fleet\// },
  { files: /^src\/ledger\/(?!port\.ts$|errors\.ts$)/, knownTo: /^src\/ledger\// },
  { files: /^src\/database\//, knownTo: /^src\/(database|fleet|ledger)\// },
  // What only reads the two ports, or asks another workflow to act, is the client's as well.
  {
    files:
      /^src\/activities\/(?!(goal|eligibility|wind-down|workflows-in-scope|held-everywhere|supersede)\.ts$)/,
    knownTo: /^src\/activities\//,
  },
];

const MAX_LINES = 300;

interface Import {
  /** A file from the root of the repository, or a package. */
  what: string;
  typeOnly: boolean;
}

/** All that a source file imports or re-exports, dynamic imports too. */
function importsOf(path: string, text: string): Import[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  const statements = code.matchAll(/^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm);
  const dynamic = code.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g);
  return [
    ...[...statements].map((match) => ({ typeOnly: match[1] !== undefined, specifier: match[2] ?? '' })),
    ...[...dynamic].map((match) => ({ typeOnly: false, specifier: match[1] ?? '' })),
  ].map(({ typeOnly, specifier }) => ({
    typeOnly,
    what: specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier,
  }));
}

const matches = (patterns: readonly RegExp[], text: string) => patterns.some((pattern) => pattern.test(text));

/** `src/domain/a.ts imports kysely` for each import that the file's layer forbids. */
function forbiddenImports(path: string, text: string): string[] {
  const layers = Object.values(LAYERS).filter((layer) => layer.files.test(path));
  return importsOf(path, text)
    .filter(({ what, typeOnly }) =>
      layers.some(
        (layer) => !matches(layer.imports, what) && !(typeOnly && matches(layer.types ?? [], what)),
      ),
    )
    .map(({ what }) => `${path} imports ${what}`);
}

/** The same for files outside all layers: what they import of implementations although they are no main files. */
function forbiddenCompositions(path: string, text: string): string[] {
  if (MAIN_FILES.test(path)) return [];
  return importsOf(path, text)
    .filter(({ what, typeOnly }) =>
      IMPLEMENTATIONS.some(({ files, knownTo }) => !typeOnly && files.test(what) && !knownTo.test(path)),
    )
    .map(({ what }) => `${path} imports ${what}`);
}

const root = join(import.meta.dirname, '../..');
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => `src/${path.replaceAll('\\', '/')}`)
  .toSorted()
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

describe('the layers', () => {
  it.each(Object.entries(LAYERS))('%s imports only what it may', (_, layer) => {
    const files = sources.filter(({ path }) => layer.files.test(path));
    expect(files).not.toEqual([]);
    expect(files.flatMap(({ path, text }) => forbiddenImports(path, text))).toEqual([]);
  });

  it('are put together by main files only', () => {
    expect(sources.flatMap(({ path, text }) => forbiddenCompositions(path, text))).toEqual([]);
  });

  it(`have no file above ${MAX_LINES} lines`, () => {
    const lines = ({ text }: { text: string }) => text.trimEnd().split('\n').length;
    const tooLong = sources.filter((source) => lines(source) > MAX_LINES);
    expect(tooLong.map((source) => `${source.path} has ${lines(source)} lines`)).toEqual([]);
  });
});

/** Every file that comes into the sandbox of workflows: what they import, and what that imports. */
function inSandbox(): string[] {
  const textOf = new Map(sources.map(({ path, text }) => [path, text]));
  const found = new Set(sources.map(({ path }) => path).filter((path) => path.startsWith('src/workflows/')));
  for (const path of found) {
    for (const { what, typeOnly } of importsOf(path, textOf.get(path) ?? '')) if (!typeOnly) found.add(what);
  }
  return [...found];
}

describe('the sandbox of workflows', () => {
  it('holds no time zones: they need a library, and change with it under workflows that are open', () => {
    const sandbox = inSandbox();
    expect(sandbox).toContain('src/domain/clock.ts');
    expect(sandbox).not.toContain('src/domain/time-zone.ts');
  });
});

describe('this test itself', () => {
  it('finds imports of every form', () => {
    const text = `
      import a from './a.ts';
      import type { B } from '../b.ts';
      import {
        type C,
        d,
      } from 'package-c';
      import 'side-effect';
      export { e } from './e.ts';
      export type { F } from './f.ts';
      export * from './g.ts';
      import data from './data.json' with { type: 'json' };
      const h = await import('./h.ts');
      // import i from './comment.ts';
      /* import j from './comment.ts'; */
      export const from = 'no import';`;
    expect(
      importsOf('src/x/y.ts', text).map(({ what, typeOnly }) => (typeOnly ? `type ${what}` : what)),
    ).toEqual([
      'src/x/a.ts',
      'type src/b.ts',
      'package-c',
      'side-effect',
      'src/x/e.ts',
      'type src/x/f.ts',
      'src/x/g.ts',
      'src/x/data.json',
      'src/x/h.ts',
    ]);
  });

  it.each([
    ['src/domain/a.ts', "import { readFile } from 'node:fs/promises';"],
    ['src/domain/a.ts', "import type { Fleet } from '../fleet/port.ts';"],
    ['src/workflows/a.ts', "import { z } from 'zod';"],
    ['src/workflows/a.ts', "import { createActivities } from '../activities/index.ts';"],
    ['src/workflows/a.ts', "import type { Client } from '@temporalio/client';"],
    ['src/activities/a.ts', "import type { SimulatedFleet } from '../fleet/simulated/fleet.ts';"],
    ['src/activities/a.ts', "import { Client } from '@temporalio/client';"],
    ['src/activities/a.ts', "import { imageRollout } from '../workflows/image-rollout.ts';"],
    ['src/fleet/a.ts', "import type { Ledger } from '../ledger/port.ts';"],
    ['src/ledger/a.ts', "import { log } from '@temporalio/activity';"],
    ['src/database/a.ts', "import { openLedger } from '../ledger/open-ledger.ts';"],
  ])('forbids in %s: %s', (path, text) => {
    expect(forbiddenImports(path, text)).toHaveLength(1);
  });

  it.each([
    ['src/workflows/a.ts', "import type { Activities } from '../activities/index.ts';"],
    ['src/activities/a.ts', "import type { Client } from '@temporalio/client';"],
    ['src/fleet/simulated/a.ts', "import type { Database } from '../../database/database.ts';"],
  ])('allows in %s: %s', (path, text) => {
    expect(forbiddenImports(path, text)).toEqual([]);
  });

  it.each([
    ['src/arm/server.ts', "import { openLedger } from '../ledger/open-ledger.ts';", 1],
    ['src/client/client.ts', "import { openDatabase } from '../database/database.ts';", 1],
    ['src/temporal/rollout-worker.ts', "import { createActivities } from '../activities/index.ts';", 1],
    ['src/arm/server.ts', "import { openFleet } from '../fleet/simulated/fleet.ts';", 1],
    ['src/arm/server.ts', "import type { Ledger } from '../ledger/port.ts';", 0],
    ['src/arm/main.ts', "import { openLedger } from '../ledger/open-ledger.ts';", 0],
    ['src/worker.ts', "import { createActivities } from './activities/index.ts';", 0],
    ['src/client/cli/main.ts', "import { openLedger } from '../../ledger/open-ledger.ts';", 0],
  ])('counts in %s: %s as %i compositions', (path, text, count) => {
    expect(forbiddenCompositions(path, text)).toHaveLength(count);
  });
});
