import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RolloutStatus } from '../../src/ledger/port.ts';
import { wantsColor, watchRollout, type WatchOptions } from '../../src/client/view/index.ts';
import { ROLLOUT, Story } from './view-fixture.ts';

let story: Story;
let shown: string;
beforeEach(async () => {
  story = await Story.begin();
  shown = '';
});
afterEach(() => story.end());

/** A terminal of 100 x 30, or a file. */
function watch(options: Partial<WatchOptions> = {}, rolloutId = ROLLOUT) {
  const out = Object.assign(new PassThrough(), { columns: 100, rows: 30 });
  out.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  return watchRollout(story.sources, rolloutId, { out, tty: false, stopWhenHalted: true, ...options });
}

const end = (status: RolloutStatus) => story.ledger.rollouts.setStatus(ROLLOUT, status, story.at(60), null);

describe('a watch', () => {
  it.each([
    ['Completed', 'completed'],
    ['Faulted', 'faulted'],
    ['Cancelled', 'cancelled'],
    ['Superseded', 'cancelled'],
    ['Halted', 'halted'],
  ] as const)('of a rollout that is %s ends as %s', async (status, outcome) => {
    await end(status);
    expect((await watch()).outcome).toBe(outcome);
    expect(shown).toMatch(/^2025-12-06 08:00:00 {2}rollout of .*\n2025-12-06 09:00:00 /);
  });

  it('ends when the time is over, or when it is interrupted; the rollout goes on', async () => {
    expect((await watch({ timeoutMs: 1 })).outcome).toBe('timedOut');
    const interrupt = new AbortController();
    const result = watch({ signal: interrupt.signal });
    setTimeout(() => interrupt.abort(), 20);
    expect(await result).toMatchObject({ outcome: 'interrupted', snapshot: { status: 'Running' } });
  });

  it('waits on for the decision about a halted rollout, if that is wanted', async () => {
    await end('Halted');
    const result = watch({ stopWhenHalted: false });
    setTimeout(() => void end('Completed'), 300);
    expect((await result).outcome).toBe('completed');
    expect(shown).toContain('HALTED');
  });

  it('draws a tree in place on a terminal, and gives the cursor back', async () => {
    const result = watch({ tty: true, notes: () => ['a note'] });
    setTimeout(() => void end('Completed'), 300);
    expect((await result).outcome).toBe('completed');
    expect(shown.startsWith('\u001B[?25l')).toBe(true);
    expect(shown).toContain('a note');
    // Back to the first line of what was drawn before.
    expect(shown.replaceAll('\u001B', 'ESC')).toMatch(/ESC\[\d+A\r/);
    expect(shown.endsWith('\u001B[?25h')).toBe(true);
  });

  it('gives the cursor back when it fails', async () => {
    await expect(watch({ tty: true }, 'rollout/none/1/1')).rejects.toThrow('No rollout');
    expect(shown).toBe('\u001B[?25l\u001B[?25h');
  });

  it('leaves no listeners behind', async () => {
    const listeners = () => ['exit', 'SIGINT', 'SIGTERM'].map((name) => process.listenerCount(name));
    const before = listeners();
    await end('Completed');
    await watch({ tty: true });
    expect(listeners()).toEqual(before);
  });
});

it('colours are for terminals of people who have not said no', () => {
  expect(wantsColor(true, {})).toBe(true);
  expect(wantsColor(false, {})).toBe(false);
  expect(wantsColor(true, { NO_COLOR: '1' })).toBe(false);
  expect(wantsColor(true, { NO_COLOR: '' })).toBe(true);
  expect(wantsColor(true, { TERM: 'dumb' })).toBe(false);
});
