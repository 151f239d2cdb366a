import { expect, it } from 'vitest';
import { devServerArguments } from '../../src/temporal/dev-server-command.ts';

const settings = { ip: '127.0.0.1', port: 7233 };

it('makes a database durable and fast, and has no journal to speak of in memory', () => {
  const onFile = devServerArguments({ ...settings, dbFile: 'var/temporal.db' }).join(' ');
  expect(onFile).toContain(
    '--db-filename var/temporal.db --sqlite-pragma journal_mode=WAL --sqlite-pragma synchronous=1',
  );
  expect(devServerArguments(settings).join(' ')).not.toMatch(/--db-filename|--sqlite-pragma/);
});

it('serves the Web UI when that has a port', () => {
  expect(devServerArguments({ ...settings, uiPort: 8233 }).join(' ')).toContain('--ui-port 8233');
  expect(devServerArguments(settings)).toContain('--headless');
});

it('lets timers be short, registers the search attributes, and puts what a caller adds last', () => {
  const args = devServerArguments({ ...settings, extraArgs: ['--log-config'] });
  expect(args).toEqual(
    expect.arrayContaining([
      'history.timerProcessorMaxTimeShift="1ms"',
      'history.timerProcessorMaxPollRPS=10000',
      'RolloutImage=Keyword',
      'RolloutImageVersion=Keyword',
      'RolloutScaleSet=Keyword',
      'RolloutRegion=Keyword',
      'RolloutPhase=Int',
      'RolloutStatus=Keyword',
    ]),
  );
  expect(args.at(-1)).toBe('--log-config');
});
