const priorities = Array.from({ length: 10 }, (_, priority) => priority);

/** For each priority its virtual time, and where the turns of jobs without a group end: what is urgent moves nothing in the others. */
export const sequences = priorities
  .flatMap((priority) => [
    `svc_jobs.virtual_time_${priority}`,
    `svc_jobs.ungrouped_tail_${priority}`,
  ])
  .join(', ');

export const createSequences = sequences
  .split(', ')
  .map((name) => `create sequence ${name} minvalue 0 start 0`);

const sequenceOf = (name: string, priority: string) =>
  `('svc_jobs.${name}_' || ${priority})::regclass`;
// Nothing for one that was never set.
const valueOf = (sequence: string) => `coalesce(pg_sequence_last_value(${sequence}), 0)`;

export const virtualTime = (priority: string) => valueOf(sequenceOf('virtual_time', priority));
export const ungroupedTail = (priority: string) => valueOf(sequenceOf('ungrouped_tail', priority));

/** It never goes back. */
export const moveVirtualTime = (priority: string, turn: string) =>
  `setval(${sequenceOf('virtual_time', priority)}, greatest(${turn}, ${virtualTime(priority)}))`;
export const setUngroupedTail = (priority: string, turn: string) =>
  `setval(${sequenceOf('ungrouped_tail', priority)}, ${turn})`;
