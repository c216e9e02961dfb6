import { waitAgain } from './flows.ts';
import { jobsPrelude } from './jobs.ts';

const replay = `${waitAgain}
local function replay(job)
  if job.unique then call('HSETNX', base .. 'unique', job.unique, job.id) end
  call('ZREM', base .. 'dead', job.id)
  local state = waits_again(job) and 'waiting' or 'ready'
  call('HSET', job_key(job.id), 'state', state, 'tries', 0)
  call('HDEL', job_key(job.id), 'ended')
  leave('dead', job.task, job.id)
  if state == 'ready' then make_ready(job) else enter('waiting', job.task, job.id) end
end
`;

/** Answers the state that the job was in. */
export const cancelScript = `${jobsPrelude}
local job = read(ARGV[1])
if not job then return false end
if job.state == 'ready' then
  local key = queue_key(job.task, job.group)
  local was = head_of(key)
  call('ZREM', key, job.id)
  local id, place = head_of(key)
  if id ~= was then seat(job.task, job.group, was, id, place) end
elseif job.state == 'scheduled' then
  call('ZREM', base .. 'scheduled', job.id)
elseif job.state == 'running' then
  call('SADD', base .. 'asked:' .. job.lease, job.id)
end
if job.state == 'ready' or job.state == 'scheduled' or job.state == 'waiting' then
  leave(job.state, job.task, job.id)
  finish(job, 'cancelled', '')
  call('HDEL', job_key(job.id), 'runAt')
  flush()
end
return job.state
`;

/** Answers the state that the job was in. */
export const retryScript = `${jobsPrelude}${replay}
local job = read(ARGV[1])
if not job then return false end
if job.state == 'scheduled' then
  call('ZREM', base .. 'scheduled', job.id)
  call('HSET', job_key(job.id), 'state', 'ready')
  call('HDEL', job_key(job.id), 'runAt')
  leave('scheduled', job.task, job.id)
  make_ready(job, job.tries > 0)
elseif job.state == 'dead' then
  replay(job)
end
flush()
return job.state
`;

/**
 * ARGV: what to do, how many at most, where to begin, task, group, before; then ids, in place of a look at some of all.
 * Answers how many it did, how many it looked at, and when.
 */
export const deadScript = `${jobsPrelude}${replay}
local act, wanted, from, task, group, before = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]
local ids = #ARGV > 6 and {unpack(ARGV, 7)} or call('ZRANGE', base .. 'dead', from, from + 499)
local done, seen = 0, 0
for _, id in ipairs(ids) do
  if done >= wanted then break end
  seen = seen + 1
  local died = call('ZSCORE', base .. 'dead', id)
  local job = died and (before == '' or tonumber(died) < tonumber(before)) and read(id)
  if job and (task == '' or job.task == task) and (group == '' or job.group == group) then
    done = done + 1
    if act == 'replay' then
      replay(job)
    else
      call('ZREM', base .. 'dead', id)
      leave('dead', job.task, id)
      free_key(job)
      has_ended(job, 'purged')
      forget(job)
      call('DEL', job_key(id))
    end
  end
end
flush()
return {done, seen, string.format('%.17g', now)}
`;

/** Removes at most so many records whose time is over; answers how many. */
export const purgeScript = `${jobsPrelude}
local ids = call('ZRANGEBYSCORE', base .. 'expiring', '-inf', now, 'LIMIT', 0, ARGV[1])
for _, id in ipairs(ids) do
  local job = read(id)
  if job then
    leave(job.state, job.task, id)
    free_key(job)
    forget(job)
    call('DEL', job_key(id))
  end
end
if #ids > 0 then many('ZREM', base .. 'expiring', ids) end
call('ZREMRANGEBYSCORE', base .. 'rates', '-inf', now)
flush()
return #ids
`;

/** ARGV: 1 to pause or 0, and the task. */
export const pauseScript = `${jobsPrelude}
return call(ARGV[1] == '1' and 'SADD' or 'SREM', base .. 'paused', ARGV[2])
`;
