import { jobsPrelude } from './jobs.ts';

export const readScript = `${jobsPrelude}
return call('HGETALL', job_key(ARGV[1]))
`;

/**
 * ARGV: state, task or nothing, group or nothing, the id to begin below or nothing, how many, how many to look at.
 * Answers jobs, the newest first, as id and hash, and the last id that it looked at where there may be more.
 */
export const listScript = `${jobsPrelude}
local state, task, group, below, wanted, looks = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local ids = {}
for _, name in ipairs(task ~= '' and {task} or call('SMEMBERS', base .. 'tasks')) do
  local from = below == '' and '+' or '(' .. below
  for _, id in ipairs(call('ZREVRANGEBYLEX', index_key(state, name), from, '-', 'LIMIT', 0, looks)) do
    ids[#ids + 1] = id
  end
end
table.sort(ids, function(a, b) return a > b end)
local jobs, last = {}, ''
for at, id in ipairs(ids) do
  if #jobs >= 2 * wanted then break end
  if at > looks then break end
  last = id
  if group == '' or call('HGET', job_key(id), 'group') == group then
    jobs[#jobs + 1] = id
    jobs[#jobs + 1] = call('HGETALL', job_key(id))
  end
end
if #ids < looks then last = '' end
return {jobs, last}
`;

/** Answers tasks with the number of jobs in each state of ARGV, what is paused, the oldest wait, and the workers. */
export const statsScript = `${jobsPrelude}
local counts, oldest = {}, 0
for _, task in ipairs(call('SMEMBERS', base .. 'tasks')) do
  counts[#counts + 1] = task
  for _, state in ipairs(ARGV) do
    counts[#counts + 1] = call('ZCARD', index_key(state, task))
  end
  local first = call('ZRANGE', index_key('ready', task), 0, 0)[1]
  local since = first and call('HGET', job_key(first), 'since')
  if since then oldest = max(oldest, now - since) end
end
return {counts, call('SMEMBERS', base .. 'paused'), tostring(oldest), call('HVALS', base .. 'workers')}
`;

/** Answers what the server does when its memory is full. */
export const evictionScript = `
local memory = redis.call('INFO', 'memory')
return string.match(memory, 'maxmemory_policy:([%w-]+)')
`;
