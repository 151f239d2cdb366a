import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { logSubjectOf, type LogSubject } from '../workflows/log-subject.ts';
import { linesOf } from './activity-lines.ts';

/** Logs what activities answer, and says in every line of theirs, also the SDK's, what it is about. */
export const activityLog: ActivityInterceptorsFactory = (context) => {
  let subject: LogSubject = {};
  return {
    inbound: {
      execute: async (input, next) => {
        const [given] = input.args;
        subject = logSubjectOf(given);
        const result = await next(input);
        for (const { level, message, fields } of linesOf(context.info.activityType, given, result))
          context.log[level](message, { ...fields });
        return result;
      },
    },
    outbound: { getLogAttributes: (attributes, next) => next({ ...attributes, ...subject }) },
  };
};
