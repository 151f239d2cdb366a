import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { guardedCommand, guardedScript } from '../../src/temporal/servers/index.ts';
import { inTemporaryFolder } from './fakes.ts';

/** Starts a server in a process of its own, which kills itself the hard way once the server says that it is up. */
const STARTER = `
  const { spawn } = require('node:child_process');
  const [command, ...args] = process.argv.slice(1);
  const server = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  server.stdout.once('data', () => process.kill(process.pid, 'SIGKILL'));
`;

/**
 * Resolves when the last process that holds our pipe is gone, and that is the server, for its starter dies before. An
 * unguarded server makes this time out.
 */
async function untilGone(command: string, args: readonly string[]): Promise<NodeJS.Signals | null> {
  const starter = spawn(process.execPath, ['-e', STARTER, command, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await once(starter, 'close');
  return starter.signalCode;
}

async function writeServer(folder: string): Promise<string> {
  const server = join(folder, 'server');
  await writeFile(server, '#!/bin/sh\necho up\nexec sleep 600\n', { mode: 0o755 });
  return server;
}

it('ends a server whose starter was killed', () =>
  inTemporaryFolder(async (folder) => {
    const command = guardedCommand(await writeServer(folder), []);
    expect(await untilGone(...command)).toBe('SIGKILL');
  }));

it('ends one that was started by the script too', () =>
  inTemporaryFolder(async (folder) => {
    const server = await writeServer(folder);
    const env = { XDG_CACHE_HOME: folder };
    const script = await guardedScript(server, env);
    expect(await guardedScript(server, env)).toBe(script);
    expect(await untilGone(script, [])).toBe('SIGKILL');
  }));
