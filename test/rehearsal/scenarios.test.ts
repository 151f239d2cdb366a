import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readScenario, rehearse } from '../../src/client/index.ts';
import { rehearsalText } from '../../src/client/cli/rehearsal-text.ts';

/*
 * Every example scenario comes out as it says itself, and its story is told word for word as in `golden`. After a change that
 * is meant: `npx vitest run --project rehearsal scenarios -u`, and read the difference as whoever is called at night would.
 */

const FOLDER = join(import.meta.dirname, '../../examples/scenarios');
const GOLDEN = join(import.meta.dirname, 'golden');
const namesIn = (folder: string, ending: string) =>
  readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .map((file) => basename(file, ending))
    .toSorted();
const scenarios = namesIn(FOLDER, '.json');

describe('the example scenario', () => {
  it.each(scenarios)('%s ends as it expects, by the rules, and as its story tells', async (name) => {
    const rehearsed = await rehearse(await readScenario(join(FOLDER, `${name}.json`)));
    await expect(`${rehearsalText(rehearsed)}\n`).toMatchFileSnapshot(join(GOLDEN, `${name}.txt`));
    expect(rehearsed.differences).toEqual([]);
    expect(rehearsed.audit.violations).toEqual([]);
    expect(rehearsed.audit.counts.leftOut).toBe(0);
  });

  it('has a story each, and there is no other', () => {
    expect(namesIn(GOLDEN, '.txt')).toEqual(scenarios);
  });
});
