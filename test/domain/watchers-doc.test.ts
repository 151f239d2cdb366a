import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { EVENT_KINDS } from '../../src/domain/events.ts';

it('the page about watchers tells of every type of event, and of no other', () => {
  const page = readFileSync(new URL('../../docs/watchers.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z]+\.[a-z]+)` /gm)].map((match) => match[1]);
  expect(new Set(rows)).toEqual(new Set(EVENT_KINDS));
});
