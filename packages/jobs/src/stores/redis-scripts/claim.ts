import { jobsPrelude } from './jobs.ts';

const takeBackAndPromote = `
local lost = {}
for _, over in ipairs(call('ZRANGEBYSCORE', base .. 'leases', '-inf', now, 'LIMIT', 0, 100)) do
  local ids = call('SMEMBERS', base .. 'lease:' .. over)
  table.sort(ids)
  for _, id in ipairs(ids) do
    local job = read(id)
    if job then
      local message = 'The worker that ran it was lost.'
      make_free(job)
      leave('running', job.task, id)
      local is_cancelled = is_asked(over, id)
      local is_dead = not is_cancelled and job.tries >= job.most
      if is_dead then bury(job, message)
      else
        call('HSET', job_key(id), 'errors', errors_with(job, message))
        if is_cancelled then finish(job, 'cancelled', '') else run_again(job, job.tries) end
      end
      lost[#lost + 1] = id
      lost[#lost + 1] = job.task
      lost[#lost + 1] = is_dead and 1 or 0
    end
  end
  end_lease(over)
end
for _, id in ipairs(call('ZRANGEBYSCORE', base .. 'scheduled', '-inf', now, 'LIMIT', 0, max(wanted, 500))) do
  local job = read(id)
  call('ZREM', base .. 'scheduled', id)
  if job then
    leave('scheduled', job.task, id)
    call('HSET', job_key(id), 'state', 'ready')
    call('HDEL', job_key(id), 'runAt')
    make_ready(job, job.tries > 0)
  end
end
flush()
`;

/** GCRA (ITU-T I.371) in milliseconds; what runs is counted, what is read is kept until the end. */
const limiter = `
local counts, arrivals, waits = {}, {}, math.huge
local function wait_of(use, limit)
  if not limit then return 0 end
  if limit.concurrency then
    counts[use] = counts[use] or tonumber(call('HGET', base .. 'limited', use) or 0)
    if counts[use] >= limit.concurrency then return math.huge end
  end
  local rate = limit.rate
  if not rate then return 0 end
  arrivals[use] = arrivals[use] or tonumber(call('ZSCORE', base .. 'rates', use) or 0)
  local wait = max(0, arrivals[use] - now) + rate.perMs / rate.quota - rate.perMs
  return wait > 0.001 and wait or 0
end
local started = {}
local function start(use, limit)
  started[use] = (started[use] or 0) + 1
  if counts[use] then counts[use] = counts[use] + 1 end
  if limit and limit.rate then arrivals[use] = max(arrivals[use], now) + limit.rate.perMs / limit.rate.quota end
end
`;

/** The next job of all is on top of a heap: of each queue that was looked at its next, of the others the first one. */
const pick = `
local heap, size = {}, 0
local function is_before(a, b) return a.place < b.place or a.place == b.place and a.id < b.id end
local function push(item)
  size = size + 1
  local at = size
  while at > 1 do
    local above = floor(at / 2)
    if not is_before(item, heap[above]) then break end
    heap[at] = heap[above]
    at = above
  end
  heap[at] = item
end
local function pop()
  local top, last = heap[1], heap[size]
  heap[size] = nil
  size = size - 1
  if size == 0 then return top end
  local at = 1
  while true do
    local below = at * 2
    if below > size then break end
    if below < size and is_before(heap[below + 1], heap[below]) then below = below + 1 end
    if not is_before(heap[below], last) then break end
    heap[at] = heap[below]
    at = below
  end
  heap[at] = last
  return top
end
-- Reads a sorted set from its beginning, more at a time the further it comes.
local function cursor(key)
  local words, at, from, chunk = {}, 1, 0, 4
  return function()
    if at > #words then
      words = call('ZRANGE', key, from, from + chunk - 1, 'WITHSCORES')
      at, from, chunk = 1, from + chunk, math.min(chunk * 4, 256)
    end
    at = at + 2
    return words[at - 2], tonumber(words[at - 1])
  end
end
local function push_head(task, heads)
  local member, place = heads()
  if member then
    push({place = place, id = string.sub(member, 1, 36), task = task, group = string.sub(member, 37), heads = heads})
  end
end
local picked, taken, full = {}, {}, {}
local function try(item)
  local limit_of_group = item.group ~= '' and limits and (limits.groups[item.group] or limits.eachGroup) or nil
  if limits then
    local wait = wait_of('g', limits.global)
    if wait > 0 then
      waits = math.min(waits, wait)
      size = 0
      return
    end
    wait = wait_of('t:' .. item.task, limits.tasks[item.task])
    if wait > 0 then
      waits = math.min(waits, wait)
      full[item.task] = true
      return
    end
    wait = wait_of('k:' .. item.group, limit_of_group)
    if wait > 0 then
      waits = math.min(waits, wait)
      return
    end
    start('g', limits.global)
    start('t:' .. item.task, limits.tasks[item.task])
    if item.group ~= '' then start('k:' .. item.group, limit_of_group) end
  end
  picked[#picked + 1] = item
  local queue = item.queue
  if not queue then
    local key = queue_key(item.task, item.group)
    queue = {key = key, task = item.task, group = item.group, first = item.id, count = 0, next = cursor(key)}
    queue.next()
    taken[#taken + 1] = queue
  end
  queue.count = queue.count + 1
  local id, place = queue.next()
  if id then push({place = place, id = id, task = item.task, group = item.group, queue = queue}) end
end
if wanted > 0 and call('SISMEMBER', base .. 'paused', '*') == 0 then
  local paused = {}
  for _, task in ipairs(call('SMEMBERS', base .. 'paused')) do paused[task] = true end
  for _, task in ipairs(#tasks > 0 and tasks or call('SMEMBERS', base .. 'tasks')) do
    if not paused[task] then push_head(task, cursor(heads_key(task))) end
  end
  while size > 0 and #picked < wanted do
    local item = pop()
    if not full[item.task] then
      if item.heads then push_head(item.task, item.heads) end
      try(item)
    end
  end
end
`;

/** ARGV: lease, worker, how many, how long, limits as JSON or nothing, and the tasks; none is every task. */
export const claimScript = `${jobsPrelude}
local lease, worker, wanted, lease_ms = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local limits, tasks = ARGV[5] ~= '' and cjson.decode(ARGV[5]) or nil, {unpack(ARGV, 6)}
if limits then limits.tasks, limits.groups = limits.tasks or {}, limits.groups or {} end
${takeBackAndPromote}${limiter}${pick}
for _, queue in ipairs(taken) do
  call('ZREMRANGEBYRANK', queue.key, 0, queue.count - 1)
  local id, place = head_of(queue.key)
  seat(queue.task, queue.group, queue.first, id, place)
end
local jobs, ids = {}, {}
for at, item in ipairs(picked) do
  local id, key = item.id, job_key(item.id)
  local f = call('HMGET', key, 'payload', 'priority', 'tries', 'most', 'since', 'errors', 'attributes', 'key', 'until')
  local tries = f[3] + 1
  call('HSET', key, 'state', 'running', 'lease', lease, 'tries', tries, unpack(limits and {'limited', 1} or {}))
  if f[8] and f[9] == 'started' then free_key({id = id, unique = f[8]}) end
  leave('ready', item.task, id)
  enter('running', item.task, id)
  local priority = tonumber(f[2])
  virtual[priority] = max(virtual_time(priority), item.place % level)
  ids[at] = id
  jobs[at] = {id, item.task, f[1], f[2], item.group, tries, f[4], f[5], f[6], f[7]}
end
if #ids > 0 then
  flush()
  many('SADD', base .. 'lease:' .. lease, ids)
  call('ZADD', base .. 'leases', now + lease_ms, lease)
  call('HSET', base .. 'workers', lease, worker)
  for priority, turn in pairs(virtual) do
    call('HSET', base .. 'time', priority, text(turn))
    call('ZREMRANGEBYSCORE', tails_key(priority), '-inf', turn)
  end
  for use, count in pairs(started) do call('HINCRBY', base .. 'limited', use, count) end
  for use, arrival in pairs(arrivals) do
    if started[use] then call('ZADD', base .. 'rates', arrival, use) end
  end
end
for _, name in ipairs({'scheduled', 'leases'}) do
  local _, score = head_of(base .. name)
  if score then waits = math.min(waits, score - now) end
end
return {jobs, lost, waits < math.huge and tostring(max(0, waits)) or ''}
`;
