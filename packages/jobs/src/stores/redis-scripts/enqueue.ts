import { beginToWait } from './flows.ts';
import { jobsPrelude } from './jobs.ts';

/**
 * ARGV: the jobs, as a JSON array of thirteen words each, so that a call has few arguments however many they are, and of
 * one that waits for others two more: whom, and what it does on failure; the term of a relay, empty where none moves them;
 * and ids that it will not move again. Answers for each job who has its unique key, or nothing, and of which jobs that others
 * are to come after there is no record: then nothing was stored. Where they are moved, those others are dead letters.
 */
export const enqueueScript = `${jobsPrelude}${beginToWait}
local jobs, term, reply, tasks = cjson.decode(ARGV[1]), ARGV[2], {}, {}
if term ~= '' then
  if tonumber(term) < tonumber(call('GET', base .. 'term') or 0) then
    return redis.error_reply('STALE another relay moves jobs since')
  end
  call('SET', base .. 'term', term)
  for i = 3, #ARGV do call('ZREM', base .. 'moved', ARGV[i]) end
  call('ZREMRANGEBYSCORE', base .. 'moved', '-inf', now - 7 * 86400000)
end
local missing, is_missing = {}, {}
for _, job in ipairs(term == '' and jobs or {}) do
  for _, other in ipairs(job[14] or {}) do
    if not is_missing[other] and call('EXISTS', job_key(other)) == 0 then
      missing[#missing + 1] = other
      is_missing[other] = true
    end
  end
end
if #missing > 0 then return {reply, missing} end
for _, job in ipairs(jobs) do
  local id, task, payload, priority, group, cost, most, delay, run_at, attributes, unique, till, keep, after,
    on_failure = unpack(job, 1, 15)
  local is_known = term ~= '' and call('ZADD', base .. 'moved', 'NX', now, id) == 0 or call('EXISTS', job_key(id)) == 1
  local holder = not is_known and unique ~= '' and call('HGET', base .. 'unique', unique)
  reply[#reply + 1] = holder or ''
  if not is_known and not holder then
    if unique ~= '' then call('HSET', base .. 'unique', unique, id) end
    local due = run_at ~= '' and tonumber(run_at) or now + delay
    local state = after and 'waiting' or due <= now and 'ready' or 'scheduled'
    local words = {'state', state, 'task', task, 'payload', payload, 'priority', priority, 'cost', cost, 'tries', 0,
      'most', most, 'since', text(now)}
    local function add(name, value)
      if value == '' then return end
      words[#words + 1] = name
      words[#words + 1] = value
    end
    add('group', group)
    add('attributes', attributes)
    add('key', unique)
    add('until', till)
    add('keep', keep)
    if after then add('waits', 1)
    elseif state == 'scheduled' then
      add('runAt', text(due))
      call('ZADD', base .. 'scheduled', due, id)
      enter('scheduled', task, id)
    else
      make_ready({id = id, task = task, group = group, priority = priority, cost = cost})
    end
    call('HSET', job_key(id), unpack(words))
    if after and not begin_to_wait(id, after, on_failure, due) then enter('waiting', task, id) end
    if not tasks[task] then call('SADD', base .. 'tasks', task) end
    tasks[task] = true
  end
end
flush()
return {reply, missing}
`;
