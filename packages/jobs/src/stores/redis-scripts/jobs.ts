import { flowEndings, flowVerdicts } from './flow-parts.ts';

/**
 * What every script begins with. KEYS[1] is what all keys begin with. Keys:
 *
 * - `job:ID`: a hash; `in:STATE␟TASK`: ids in that state, in their order;
 * - `queue:TASK␟GROUP`: ready ids by their place, which is priority and turn in one number; `heads:TASK`: the first of each
 *   queue, as id and group, by its place. So a group that is held up costs a claim one step, however many jobs it has;
 * - `scheduled` by hour, `dead` by death, `expiring` by when their record is removed; `unique`: who has which key;
 * - `leases` by their end, `lease:LEASE`: ids without an outcome, `asked:LEASE`: those somebody wants to end, `workers`;
 * - of a job that waits for others `awaited:ID`: how each of them stands, how many stand so, `after` for their order, `else`
 *   for what it does on failure, and its hour, `due`; `followers:ID`: who waits for what can still end;
 * - for each priority its virtual time, in `time`, and `tails:PRIORITY`: where the turns of groups end; `limited`, `rates`, `paused`, `tasks`.
 *
 * Writes to indexes and queues are gathered and made together: `flush` ends a script, and each part of one.
 */
export const jobsPrelude = `
local call, base, floor, max = redis.call, KEYS[1], math.floor, math.max
local clock = call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local level, most_errors, most_words = 2 ^ 49, 25, 2000
local function text(number) return string.format('%.0f', floor(number)) end
local function job_key(id) return base .. 'job:' .. id end
local function index_key(state, task) return base .. 'in:' .. state .. '\\31' .. task end
local function queue_key(task, group) return base .. 'queue:' .. task .. '\\31' .. group end
local function tails_key(priority) return base .. 'tails:' .. priority end
local function heads_key(task) return base .. 'heads:' .. task end

local function many(command, key, words)
  for first = 1, #words, most_words do
    call(command, key, unpack(words, first, math.min(first + most_words - 1, #words)))
  end
end

local entering, leaving, queues, tails, virtual = {}, {}, {}, {}, {}
local function enter(state, task, id)
  local key = index_key(state, task)
  local words = entering[key] or {}
  entering[key] = words
  words[#words + 1] = 0
  words[#words + 1] = id
end
local function leave(state, task, id)
  local key = index_key(state, task)
  local words = leaving[key] or {}
  leaving[key] = words
  words[#words + 1] = id
end
local function head_of(key)
  local head = call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return head[1], head[2]
end
local function seat(task, group, was, id, place)
  if was then call('ZREM', heads_key(task), was .. group) end
  if id then call('ZADD', heads_key(task), place, id .. group) end
end
local function write()
  for key, words in pairs(leaving) do many('ZREM', key, words) end
  for key, words in pairs(entering) do many('ZADD', key, words) end
  for key, queue in pairs(queues) do
    local was, was_place = head_of(key)
    many('ZADD', key, queue.words)
    local id, place = head_of(key)
    if id ~= was or place ~= was_place then seat(queue.task, queue.group, was, id, place) end
  end
  for priority, ends in pairs(tails) do
    for group, turn in pairs(ends) do call('ZADD', tails_key(priority), turn, group) end
  end
  entering, leaving, queues = {}, {}, {}
end

local function virtual_time(priority)
  virtual[priority] = virtual[priority] or tonumber(call('HGET', base .. 'time', priority) or 0)
  return virtual[priority]
end
-- Start-time fair queueing (Goyal, Vin, Cheng, 1996): who comes anew begins at the virtual time.
local function make_ready(job, at_front)
  local priority = tonumber(job.priority)
  local turn = virtual_time(priority)
  if not at_front then
    local ends = tails[priority] or {}
    tails[priority] = ends
    local tail = ends[job.group] or tonumber(call('ZSCORE', tails_key(priority), job.group) or 0)
    turn = max(turn, tail) + job.cost
    ends[job.group] = turn
  end
  local key = queue_key(job.task, job.group)
  local queue = queues[key] or {task = job.task, group = job.group, words = {}}
  queues[key] = queue
  queue.words[#queue.words + 1] = (9 - priority) * level + turn
  queue.words[#queue.words + 1] = job.id
  enter('ready', job.task, job.id)
end

-- What an ending needs of most jobs.
local function read_little(id)
  local f = call('HMGET', job_key(id), 'task', 'key', 'until', 'keep', 'limited', 'group',
    'followed', 'waits')
  if not f[1] then return nil end
  return {id = id, task = f[1], unique = f[2], till = f[3], keep = tonumber(f[4] or 0), limited = f[5], group = f[6] or '',
    followed = f[7], waits = f[8]}
end
local function read(id)
  local f = call('HMGET', job_key(id), 'state', 'task', 'group', 'priority', 'cost', 'tries', 'most', 'key', 'until', 'keep',
    'lease', 'limited', 'errors', 'followed', 'waits')
  if not f[1] then return nil end
  return {id = id, state = f[1], task = f[2], group = f[3] or '', priority = f[4], cost = f[5], tries = tonumber(f[6]),
    most = tonumber(f[7]), unique = f[8], till = f[9], keep = tonumber(f[10] or 0), lease = f[11], limited = f[12],
    errors = f[13], followed = f[14], waits = f[15]}
end
local function free_key(job)
  if job.unique and call('HGET', base .. 'unique', job.unique) == job.id then
    call('HDEL', base .. 'unique', job.unique)
  end
end
local function errors_with(job, message)
  local errors = job.errors and cjson.decode(job.errors) or {}
  if #errors >= most_errors then table.remove(errors, 2) end
  errors[#errors + 1] = {attempt = job.tries, at = floor(now), message = message}
  return cjson.encode(errors)
end
${flowEndings}
local function finish(job, state, result)
  has_ended(job, state, result)
  if job.till ~= 'removed' or job.keep == 0 then free_key(job) end
  if job.keep == 0 then
    forget(job)
    return call('DEL', job_key(job.id))
  end
  call('HSET', job_key(job.id), 'state', state, 'ended', text(now))
  if result ~= '' then call('HSET', job_key(job.id), 'result', result) end
  call('HDEL', job_key(job.id), 'progress', 'lease', 'limited')
  call('ZADD', base .. 'expiring', now + job.keep, job.id)
  enter(state, job.task, job.id)
end
local function bury(job, message)
  has_ended(job, 'dead')
  if job.till ~= 'removed' then free_key(job) end
  call('HSET', job_key(job.id), 'state', 'dead', 'ended', text(now), 'errors', errors_with(job, message))
  call('HDEL', job_key(job.id), 'progress', 'lease', 'limited')
  call('ZADD', base .. 'dead', now, job.id)
  enter('dead', job.task, job.id)
end
-- It ran, and is ready again, in front.
local function run_again(job, tries)
  call('HSET', job_key(job.id), 'state', 'ready', 'tries', tries)
  call('HDEL', job_key(job.id), 'progress', 'lease', 'limited')
  make_ready(job, true)
end
local function make_free(job)
  if not job.limited then return end
  for _, use in ipairs({'g', 't:' .. job.task, job.group ~= '' and 'k:' .. job.group or nil}) do
    if call('HINCRBY', base .. 'limited', use, -1) <= 0 then call('HDEL', base .. 'limited', use) end
  end
end
local function is_asked(lease, id) return call('SISMEMBER', base .. 'asked:' .. lease, id) == 1 end
local function end_lease(lease)
  call('ZREM', base .. 'leases', lease)
  call('HDEL', base .. 'workers', lease)
  call('DEL', base .. 'lease:' .. lease, base .. 'asked:' .. lease)
end
${flowVerdicts}`;
