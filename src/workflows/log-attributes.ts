import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { logSubjectOf, type LogSubject } from './log-subject.ts';

/** Every line that a workflow logs, and that the SDK logs of it, says what it is about. Issues no commands. */
export const interceptors: WorkflowInterceptorsFactory = () => {
  let subject: LogSubject = {};
  return {
    inbound: [
      {
        execute: (input, next) => {
          subject = logSubjectOf(input.args[0]);
          return next(input);
        },
      },
    ],
    outbound: [{ getLogAttributes: (attributes, next) => next({ ...attributes, ...subject }) }],
  };
};
