/** The jobs that may start under the limits, at most so many; its caller holds the lock of limits until its transaction ends. */
export const pickLimitedFunction = `
create function svc_jobs.pick_limited(p_max integer, p_tasks text[], p_paused text[], p_limits json) returns tid[]
language plpgsql set search_path = pg_catalog set enable_seqscan = off as $$
declare
  now_at timestamptz := clock_timestamp();
  full_tasks text[];
  full_groups text[];
  room integer := p_max;
  task_rooms jsonb;
  group_rooms jsonb;
  each_room bigint;
  picked tid[];
begin
  room := least(room, svc_jobs.room('g', p_limits -> 'global', (select count(*) from svc_jobs.limited), now_at));
  if room <= 0 then return null; end if;
  if p_limits #>> '{eachGroup}' is null and p_limits ->> 'groups' = '{}' and p_limits ->> 'tasks' = '{}' then
    return array(
      select ctid from svc_jobs.ready
      where (p_tasks is null or task = any(p_tasks)) and (p_paused is null or task <> all(p_paused))
      order by priority desc, turn, id limit room for update skip locked);
  end if;
  with running as (select task, count(*) as n from svc_jobs.limited group by task)
  select jsonb_object_agg(l.key, svc_jobs.room('t:' || l.key, l.value, coalesce(r.n, 0), now_at)) into task_rooms
    from json_each(p_limits -> 'tasks') l left join running r on r.task = l.key;
  with running as (
    select group_key, count(*) as n from svc_jobs.limited where group_key is not null group by group_key
  ), touched as (
    select group_key from running
    union select substr(key, 3) from svc_jobs.rates where key like 'k:%' and tat > now_at
    union select key from json_object_keys(p_limits -> 'groups') as key
  )
  select jsonb_object_agg(group_key, svc_jobs.room('k:' || group_key,
      coalesce(p_limits -> 'groups' -> group_key, p_limits -> 'eachGroup'), coalesce(n, 0), now_at))
    into group_rooms from touched left join running using (group_key);
  each_room := svc_jobs.room('', p_limits -> 'eachGroup', 0, now_at);
  select array_agg(key) into full_tasks from jsonb_each_text(task_rooms) where value::bigint <= 0;
  select array_agg(key) into full_groups from jsonb_each_text(group_rooms) where value::bigint <= 0;
  with candidates as materialized (
    select ctid as row_id, priority, turn, id, task, group_key from svc_jobs.ready
    where (p_tasks is null or task = any(p_tasks)) and (p_paused is null or task <> all(p_paused))
      and (full_tasks is null or task <> all(full_tasks))
      and (full_groups is null or group_key is null or group_key <> all(full_groups))
    order by priority desc, turn, id limit room * 2 + 100
  ), ranked as (
    select *, row_number() over (partition by task order by priority desc, turn, id) as in_task,
      row_number() over (partition by group_key order by priority desc, turn, id) as in_group from candidates
  ), chosen as materialized (
    select row_id from ranked
    where in_task <= coalesce((task_rooms ->> task)::bigint, in_task)
      and (group_key is null or in_group <= coalesce((group_rooms ->> group_key)::bigint, each_room))
    order by priority desc, turn, id limit room
  )
  select array_agg(l.row_id) into picked from (
    select r.ctid as row_id from svc_jobs.ready r join chosen on chosen.row_id = r.ctid for update of r skip locked) l;
  return picked;
end $$`;

/** How many more may start under one limit. */
export const roomFunction = `
create function svc_jobs.room(p_key text, p_limit json, p_running bigint, p_now timestamptz) returns bigint
language plpgsql set search_path = pg_catalog set enable_seqscan = off as $$
declare
  most constant bigint := 1000000000;
  per double precision := (p_limit #>> '{rate,perMs}')::double precision;
  ahead double precision := 0;
begin
  if per is not null then
    select greatest(0, extract(epoch from tat - p_now) * 1000) into ahead from svc_jobs.rates where key = p_key;
  end if;
  return least(
    coalesce((p_limit ->> 'concurrency')::bigint - p_running, most),
    coalesce(floor((per - coalesce(ahead, 0)) / (per / (p_limit #>> '{rate,quota}')::bigint) + 0.000001)::bigint, most));
end $$`;

/** Counts jobs that start now against the limits that concern them (GCRA, ITU-T I.371). Gives when the first rate has room again. */
export const countLimitedFunction = `
create function svc_jobs.count_limited(p_lease uuid, p_jobs json, p_limits json) returns double precision
language plpgsql set search_path = pg_catalog set enable_seqscan = off as $$
declare
  now_at timestamptz := clock_timestamp();
begin
  if p_jobs is not null then
    insert into svc_jobs.limited (lease_id, job_id, task, group_key)
      select p_lease, id, task, group_key from json_to_recordset(p_jobs) as r(id uuid, task text, group_key text);
  end if;
  if p_limits::text not like '%"rate"%' then return null; end if;
  if p_jobs is not null then
    insert into svc_jobs.rates as r (key, tat)
      select key, now_at + n * step * interval '1 ms' from (
        select key, count(*) as n,
          (value #>> '{rate,perMs}')::double precision / (value #>> '{rate,quota}')::bigint as step
        from (
          select 'g' as key, p_limits -> 'global' as value from json_to_recordset(p_jobs) as r(id uuid)
          union all select 't:' || task, p_limits -> 'tasks' -> task from json_to_recordset(p_jobs) as r(task text)
          union all select 'k:' || group_key, coalesce(p_limits -> 'groups' -> group_key, p_limits -> 'eachGroup')
            from json_to_recordset(p_jobs) as r(group_key text) where group_key is not null
        ) each_use where value #>> '{rate,quota}' is not null group by key, value::text, 3
      ) uses
      on conflict (key) do update
        set tat = greatest(r.tat, now_at) + (excluded.tat - now_at);
  end if;
  return (
    select min(greatest(1, extract(epoch from tat - now_at) * 1000 - (l #>> '{rate,perMs}')::double precision
      + (l #>> '{rate,perMs}')::double precision / (l #>> '{rate,quota}')::bigint))
    from svc_jobs.rates, lateral (select case
      when key = 'g' then p_limits -> 'global' when key like 't:%' then p_limits -> 'tasks' -> substr(key, 3)
      else coalesce(p_limits -> 'groups' -> substr(key, 3), p_limits -> 'eachGroup') end) as x(l)
    where l #>> '{rate,quota}' is not null and extract(epoch from tat - now_at) * 1000
      + (l #>> '{rate,perMs}')::double precision / (l #>> '{rate,quota}')::bigint > (l #>> '{rate,perMs}')::double precision);
end $$`;
