import { afterEach, describe, expect, it, vi } from 'vitest';
import { ACTIVITY_NAMES, type Activities } from '../../src/activities/index.ts';
import type { Database } from '../../src/database/database.ts';
import { faultPoints } from '../../src/temporal/fault-kill.ts';

afterEach(() => vi.restoreAllMocks());

/** Activities of which each writes twice, on a database that counts; and what happened, kills among it, in order. */
function worker(fault: string) {
  const happened: string[] = [];
  vi.spyOn(process, 'kill').mockImplementation((pid, signal) => {
    happened.push(`${String(signal)} ${pid === process.pid ? 'itself' : pid}`);
    return true;
  });
  const points = faultPoints(ACTIVITY_NAMES, { FAULT_KILL: fault });
  const write = async () => void happened.push('write');
  const database = points.database({ write } as unknown as Database);
  const activity = async () => {
    await database.write([], async () => undefined);
    await database.write([], async () => undefined);
  };
  const activities = points.activities({
    swapOsDisks: activity,
    closeBatch: activity,
  } as unknown as Activities);
  const run = async (name: 'swapOsDisks' | 'closeBatch') => {
    await activities[name]({} as never);
    happened.push(`end of ${name}`);
  };
  return { happened, database, run };
}

describe('a worker that is told to end itself', () => {
  it.each([
    ['swapOsDisks:before:1', ['SIGKILL itself', 'write', 'write', 'end of swapOsDisks']],
    ['swapOsDisks:after-write:1', ['write', 'SIGKILL itself', 'write', 'end of swapOsDisks']],
    ['swapOsDisks:after-write:2', ['write', 'write', 'SIGKILL itself', 'end of swapOsDisks']],
    ['swapOsDisks:before-return:1:stop', ['write', 'write', 'SIGSTOP itself', 'end of swapOsDisks']],
    ['swapOsDisks:before:2', ['write', 'write', 'end of swapOsDisks']],
    ['closeBatch:after-write:1', ['write', 'write', 'end of swapOsDisks']],
  ])('by %s does so there, and only there', async (fault, expected) => {
    const { happened, run } = worker(fault);
    await run('swapOsDisks');
    expect(happened).toEqual(expected);
  });

  it('counts the writes of its activity, whatever else writes at the same time', async () => {
    const { happened, database, run } = worker('closeBatch:after-write:2');
    await Promise.all([run('swapOsDisks'), run('swapOsDisks'), database.write([], async () => undefined)]);
    await run('closeBatch');
    await run('closeBatch');
    expect(happened.filter((one) => one.startsWith('SIGKILL'))).toHaveLength(1);
    expect(happened.slice(-6)).toEqual([
      ...['write', 'write', 'SIGKILL itself', 'end of closeBatch'].slice(1),
      ...['write', 'write', 'end of closeBatch'],
    ]);
  });
});

describe('FAULT_KILL', () => {
  it('leaves everything as it is where it is not set', () => {
    const points = faultPoints(ACTIVITY_NAMES, {});
    const parts = { database: {} as Database, activities: {} as Activities };
    expect(points.fault).toBeNull();
    expect(points.database(parts.database)).toBe(parts.database);
    expect(points.activities(parts.activities)).toBe(parts.activities);
  });

  it.each([
    ['swapDisks:before:1', 'names no activity: give one of lookAtScaleSet, '],
    ['swapOsDisks:after:1', 'names no edge: give one of before, after-write, before-return'],
    ['swapOsDisks:before', 'does not say which time: give a whole number from 1'],
    ['swapOsDisks:before:0', 'does not say which time'],
    ['swapOsDisks:before:1:sleep', 'goes on with something unknown'],
  ])('"%s" is refused', (text, why) => {
    expect(() => faultPoints(ACTIVITY_NAMES, { FAULT_KILL: text })).toThrow(why);
  });
});
