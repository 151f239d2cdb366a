import type { Mutation } from '../mutation.ts';

const calendar = { file: 'src/domain/calendar.ts', tests: ['domain/calendar'] };
const window = { file: 'src/domain/maintenance-window.ts', tests: ['domain/maintenance-window'] };

/** Rule D10: when automatic upgrades may begin batches. */
export const windows: Mutation[] = [
  {
    rule: 'D10',
    what: 'A scale set that is half way goes on outside of its window.',
    file: 'src/domain/set-planner.ts',
    find: "if (seen.closed) return { kind: 'wait'",
    replace: "if (seen.closed && seen.lastBatch === null) return { kind: 'wait'",
    tests: ['domain/set-planner-windows'],
    audited: true,
  },
  {
    rule: 'D10',
    what: 'A region begins sets that must wait.',
    file: 'src/activities/region-due.ts',
    find: 'const isDue = hasTurn && closed === null;',
    replace: 'const isDue = hasTurn;',
    tests: ['activities/calendar'],
  },
  {
    rule: 'D10',
    what: 'A region that is closed keeps its turn in the geo-pair.',
    file: 'src/activities/region.ts',
    find: '((paused || isClosed) && running.length === 0)',
    replace: '(paused && running.length === 0)',
    tests: ['activities/calendar'],
  },
  {
    rule: 'D10',
    what: 'What a person starts waits for a window.',
    file: 'src/activities/calendar.ts',
    find: "startedBy === 'Platform' ? await ledger.calendar.read() : null",
    replace: "startedBy !== 'Platform' || true ? await ledger.calendar.read() : null",
    tests: ['activities/calendar'],
  },
  {
    rule: 'D10',
    what: 'A batch begins by windows that have just been changed.',
    file: 'src/ledger/batches.ts',
    find: '(await revisionOf(tx)) !== calendar',
    replace: '(await revisionOf(tx)) < calendar',
    tests: ['stores/ledger-calendar'],
  },
  {
    rule: 'D10',
    what: "Windows of wider scopes count beside a scale set's own.",
    ...calendar,
    find: 'return [scaleSetScope(scaleSetId), ruleScope',
    replace: 'return [ALL, scaleSetScope(scaleSetId), ruleScope',
  },
  {
    rule: 'D10',
    what: 'A freeze counts until the next window, although it ends inside of one.',
    ...calendar,
    find: 'if (thaws.length > 0) moment = Math.max(...thaws.map(({ until }) => until));',
    replace: 'if (thaws.length > 0) moment = Math.max(...thaws.map(({ until }) => until)) + DAY;',
  },
  {
    rule: 'D10',
    what: 'A window is still open at its end.',
    ...window,
    find: '({ from, until }) => from <= at && at < until,',
    replace: '({ from, until }) => from <= at && at <= until,',
  },
  {
    rule: 'D10',
    what: 'A window is of the day on which it ends.',
    ...window,
    find: 'const lastDay = length.end > start ? day : daysLater(day, 1);',
    replace: 'const lastDay = day;',
  },
  {
    rule: 'D10',
    what: 'Of a start that exists twice the second counts.',
    file: 'src/domain/time-zone.ts',
    find: "disambiguation: 'compatible'",
    replace: "disambiguation: 'later'",
    tests: ['domain/maintenance-window'],
  },
];
