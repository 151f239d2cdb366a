import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import type { DemoSummary } from '../../src/demo/summary.ts';
import { openSimulatedFleet } from '../../src/fleet/index.ts';
import { auditJournal } from '../../src/audit/index.ts';
import { geoPairs } from '../../src/domain/region.ts';
import { openLedger } from '../../src/ledger/index.ts';
import type { RecordedEntry } from '../../src/ledger/port.ts';

/** `npm run demo` as people run it, and its journal judged by rules that know nothing of how it came about. */

const DEMO = ['--import', 'tsx', 'src/demo/main.ts', '--output', 'json'];

/** Everything that a test has started, to be ended whatever happens. */
const leftOver: number[] = [];
afterEach(() => {
  for (const pid of leftOver.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It is gone, as it should be.
    }
  }
});

class Demo {
  readonly process: ChildProcess;
  stdout = '';
  /** What people would see: with `--output json` it goes to standard error. */
  progress = '';

  constructor(args: string[] = []) {
    const env = { ...process.env };
    delete env['TEMPORAL_ADDRESS'];
    this.process = spawn(process.execPath, [...DEMO, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    leftOver.push(this.process.pid as number);
    this.process.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.process.stderr?.on('data', (chunk: Buffer) => (this.progress += chunk.toString()));
  }

  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.progress);
      if (found) return found;
      if (this.process.exitCode !== null) throw new Error(`The demo has ended:\n${this.progress}`);
      await delay(100);
    }
  }

  /** The pid that was printed for a process. */
  async pidOf(name: string): Promise<number> {
    const [, pid] = await this.until(new RegExp(`^${name} +process (\\d+)`, 'm'));
    return Number(pid);
  }

  /** Waits for its end. @returns its exit code, and the line of JSON if it printed one */
  async end(): Promise<{ code: number | null; summary: DemoSummary }> {
    const [code] = (await once(this.process, 'close')) as [number | null];
    const line = this.stdout.trimEnd().split('\n').at(-1) ?? '';
    return { code, summary: (line === '' ? {} : JSON.parse(line)) as DemoSummary };
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilGone(pids: number[], withinMs = 15_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (pids.some(isAlive) && performance.now() < deadline) await delay(100);
  expect(pids.filter(isAlive)).toEqual([]);
}

/** The journal that a demo has left, and the geo-pairs of its regions. */
async function readTraces(
  databaseUrl: string,
): Promise<{ entries: RecordedEntry[]; pairs: [string, string][] }> {
  const database = await openDatabase(databaseUrl);
  try {
    const fleet = await openSimulatedFleet(database);
    const entries = await openLedger(database).journal.read({});
    return { entries, pairs: geoPairs(await fleet.regions()) };
  } finally {
    await database.close();
  }
}

/** What holds of every demo, whatever happened to its worker. */
async function expectGoodRollout(summary: DemoSummary): Promise<void> {
  expect(summary).toMatchObject({ status: 'Completed', restored: 3, failed: 3 });
  expect(summary.phases).toBeGreaterThanOrEqual(4);
  expect(summary.upgraded).toBeGreaterThan(1_000);
  const { entries, pairs } = await readTraces(summary.databaseUrl);
  expect(auditJournal(entries, pairs).violations).toEqual([]);
  const swaps = entries.filter((entry) => entry.operation === 'osDisk.swap' && entry.event === 'succeeded');
  expect(swaps).toHaveLength(summary.upgraded + summary.restored);
  const restores = entries.filter(
    (entry) => entry.operation === 'osDisk.restore' && entry.event === 'succeeded',
  );
  expect(restores).toHaveLength(summary.restored);
}

describe('npm run demo', () => {
  it('rolls an image out, within the time planned and all rules, and leaves everything running with --keep', async () => {
    const demo = new Demo(['--keep']);
    const { code, summary } = await demo.end();
    const pids = Object.values(summary.pids ?? {}).filter((pid): pid is number => pid !== null);
    leftOver.push(...pids);
    expect(code, demo.progress).toBe(0);
    expect(demo.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(pids).toHaveLength(3);
    expect(pids.filter(isAlive)).toEqual(pids);
    expect((await fetch(`${summary.apiUrl}/healthz`)).status).toBe(200);
    expect((await fetch(summary.webUi as string)).status).toBe(200);
    await expectGoodRollout(summary);
    expect(summary.totalWallMs).toBeLessThan(120_000);
    expect(Math.abs(summary.virtualMs / summary.plannedVirtualMs - 1)).toBeLessThan(0.1);
    // As its last words tell people to do.
    for (const pid of pids) process.kill(pid, 'SIGTERM');
    await untilGone(pids);
  });

  it('goes on with a new worker when the worker is killed in the middle', async () => {
    const demo = new Demo();
    const worker = await demo.pidOf('worker');
    await demo.until(/phase 3 .*started/);
    await delay(4_000);
    process.kill(worker, 'SIGKILL');
    await demo.until(/The worker \(process \d+\) is gone: killed by SIGKILL/);
    await demo.until(/The new worker is process \d+/);
    const { code, summary } = await demo.end();
    expect(code, demo.progress).toBe(0);
    expect(summary.pids.worker).not.toBe(worker);
    await expectGoodRollout(summary);
    await untilGone(Object.values(summary.pids).filter((pid): pid is number => pid !== null));
  });

  it('replaces an API that was killed, ends when its server is gone, and leaves nothing behind', async () => {
    const demo = new Demo(['--speed', '60']);
    const [server, worker, api] = await Promise.all(
      ['server', 'worker', 'api'].map((name) => demo.pidOf(name)),
    );
    const pids = [server, worker, api] as number[];
    process.kill(api as number, 'SIGKILL');
    const [, newApi] = await demo.until(/The new api is process (\d+)/);
    await demo.until(/phase 1 .*started/);
    process.kill(server as number, 'SIGKILL');
    const { code } = await demo.end();
    expect(code).toBe(1);
    expect(demo.progress).toContain('The Temporal server is gone');
    await untilGone([...pids, Number(newApi)]);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('ends all its processes on %s', async (signal) => {
    const demo = new Demo(['--speed', '60', '--keep'].slice(0, signal === 'SIGKILL' ? 2 : 3));
    const pids = await Promise.all(['server', 'worker', 'api'].map((name) => demo.pidOf(name)));
    await demo.until(/phase 1 .*started/);
    demo.process.kill(signal);
    const { code } = await demo.end();
    expect(code).toBe({ SIGINT: 130, SIGTERM: 143, SIGKILL: null }[signal]);
    expect(demo.stdout).toBe('');
    await untilGone(pids);
  });

  it('refuses what makes no sense', async () => {
    const wrong = new Demo(['--speed', 'fast']);
    expect((await wrong.end()).code).toBe(64);
    expect(wrong.progress).toContain('A speed is a number above 0');
    const missing = new Demo(['--fleet', 'no/such/fleet.json']);
    expect((await missing.end()).code).toBe(1);
    expect(missing.progress).toContain("no/such/fleet.json can't be read");
  });
});
