import { jobsPrelude } from './jobs.ts';

/** Five words for each outcome: lease, id, kind, and what belongs to it. Answers which were refused, by their number from 0. */
export const finishScript = `${jobsPrelude}
local refused, leases = {}, {}
for i = 1, #ARGV, 5 do
  local lease, id, kind, value, message = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local look = (kind == 'done' or kind == 'cancelled') and read_little or read
  local job = call('SREM', base .. 'lease:' .. lease, id) == 1 and look(id)
  if not job then
    refused[#refused + 1] = (i - 1) / 5
  else
    leases[lease] = true
    if (kind == 'retry' or kind == 'back') and is_asked(lease, id) then kind, value = 'cancelled', '' end
    make_free(job)
    leave('running', job.task, id)
    if kind == 'done' or kind == 'cancelled' then finish(job, kind, value)
    elseif kind == 'dead' then bury(job, message)
    elseif kind == 'back' then run_again(job, job.tries - 1)
    else
      local due = now + value
      call('HSET', job_key(id), 'state', 'scheduled', 'runAt', text(due), 'errors', errors_with(job, message))
      call('HDEL', job_key(id), 'progress', 'lease', 'limited')
      call('ZADD', base .. 'scheduled', due, id)
      enter('scheduled', job.task, id)
    end
  end
end
flush()
for lease in pairs(leases) do
  if call('EXISTS', base .. 'lease:' .. lease) == 0 then end_lease(lease) end
end
if released then call('PUBLISH', base .. 'wake', '') end
return refused
`;

/** ARGV: for how long, and the leases. Answers those that are lost, and jobs that somebody wants to end. */
export const heartbeatScript = `${jobsPrelude}
local lost, cancelled = {}, {}
for i = 2, #ARGV do
  local lease = ARGV[i]
  if not call('ZSCORE', base .. 'leases', lease) then
    lost[#lost + 1] = lease
  else
    call('ZADD', base .. 'leases', now + ARGV[1], lease)
    for _, id in ipairs(call('SMEMBERS', base .. 'asked:' .. lease)) do
      if call('SISMEMBER', base .. 'lease:' .. lease, id) == 1 then cancelled[#cancelled + 1] = id end
    end
  end
end
return {lost, cancelled}
`;

export const progressScript = `${jobsPrelude}
if call('SISMEMBER', base .. 'lease:' .. ARGV[1], ARGV[2]) == 1 then
  call('HSET', job_key(ARGV[2]), 'progress', ARGV[3])
end
`;
