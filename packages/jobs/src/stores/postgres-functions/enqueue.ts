import { columns, prefixed, typedColumns } from './columns.ts';
import { setUngroupedTail, ungroupedTail, virtualTime } from './sequences.ts';

/** Where the turns of a group in one priority end. Start-time fair queueing (Goyal, Vin, Cheng, 1996): who comes anew begins at the virtual time. */
export const tailFunction = `
create function svc_jobs.tail(p_group text, p_priority smallint) returns bigint language plpgsql set search_path = pg_catalog as $$
declare
  now_v bigint := ${virtualTime('p_priority')};
begin
  -- A sequence, and for groups a look at the index: a row to be updated would make all who write for a group wait for each other.
  if p_group is null then
    return greatest(now_v, ${ungroupedTail('p_priority')});
  end if;
  return greatest(now_v, (
    select max(turn) from svc_jobs.ready where group_key = p_group and priority = p_priority and turn > now_v));
end $$`;

/** Rows come as they leave another table. What was tried before goes to the front, what is new to the end of its group. */
export const makeReadyFunction = `
create function svc_jobs.make_ready(p_jobs json) returns void language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_nestloop = off as $$
declare
  levels smallint[];
  tails bigint[];
begin
  with j as materialized (
    select r.*, row_number() over () as ord from json_to_recordset(p_jobs) as r(${typedColumns})
  ), bases as materialized (
    select group_key, priority, svc_jobs.tail(group_key, priority) as base
    from (select distinct group_key, priority from j where attempts = 0) g
  ), placed as materialized (
    select ${prefixed('j')}, case when attempts > 0 then ${virtualTime('j.priority')}
      else base + sum(cost) filter (where attempts = 0) over (partition by j.group_key, j.priority order by ord) end as turn
    from j left join bases on coalesce(bases.group_key, '') = coalesce(j.group_key, '') and bases.priority = j.priority
  ), inserted as (
    insert into svc_jobs.ready (${columns}, turn) select ${columns}, turn from placed
  )
  select array_agg(priority), array_agg(turn) into levels, tails from (
    select priority, max(turn) as turn from placed where group_key is null and attempts = 0 group by priority) ended;
  perform ${setUngroupedTail('priority', 'turn')} from unnest(levels, tails) as t(priority, turn);
end $$`;

/**
 * Arrays of one element hold for every job. Gives the jobs that were not stored because another has their unique key, and
 * who that is.
 */
export const enqueueFunction = `
create function svc_jobs.enqueue(
  p_ids uuid[], p_payloads text[], p_tasks text[], p_priorities smallint[], p_groups text[], p_costs integer[],
  p_max_attempts smallint[], p_delays_ms double precision[], p_run_ats timestamptz[], p_attributes text[], p_unique_keys text[]
) returns table (duplicate uuid, existing uuid) language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_nestloop = off as $$
declare
  now_at timestamptz := clock_timestamp();
  base bigint;
  levels smallint[];
  tails bigint[];
  the_group text := nullif(p_groups[1], '');
begin
  if p_delays_ms is null and p_unique_keys is null and cardinality(p_groups) = 1 and cardinality(p_priorities) = 1 then
    base := svc_jobs.tail(the_group, p_priorities[1]);
    insert into svc_jobs.ready (id, task, payload, priority, group_key, cost, max_attempts, attributes, turn)
      select u.id, coalesce(u.task, p_tasks[1]), u.payload, p_priorities[1], the_group,
        coalesce(u.cost, p_costs[1]), coalesce(u.max_attempts, p_max_attempts[1]),
        nullif(coalesce(u.attributes, p_attributes[1]), '')::json, base + p_costs[1] * u.ord
      from unnest(p_ids, p_payloads, p_tasks, p_costs, p_max_attempts, p_attributes)
        with ordinality as u(id, payload, task, cost, max_attempts, attributes, ord);
    if the_group is null then
      perform ${setUngroupedTail('p_priorities[1]', 'base + p_costs[1] * cardinality(p_ids)')};
    end if;
    return;
  end if;
  if p_unique_keys is not null then
    -- In the order of the keys, so that two that want the same ones do not wait for each other in a circle.
    insert into svc_jobs.unique_keys (key, job_id)
      select u.key, u.id from unnest(p_unique_keys, p_ids) as u(key, id) where u.key <> '' order by u.key, u.id
      on conflict do nothing;
    return query select u.id, k.job_id from unnest(p_unique_keys, p_ids) as u(key, id)
      join svc_jobs.unique_keys k on k.key = u.key where k.job_id <> u.id;
  end if;
  with u as materialized (
    select u.id, coalesce(u.task, p_tasks[1]) as task, u.payload,
      coalesce(u.priority, p_priorities[1]) as priority, nullif(coalesce(u.group_key, p_groups[1]), '') as group_key,
      coalesce(u.cost, p_costs[1]) as cost, 0::smallint as attempts,
      coalesce(u.max_attempts, p_max_attempts[1]) as max_attempts, now_at as enqueued_at,
      nullif(coalesce(u.attributes, p_attributes[1]), '')::json as attributes, null::jsonb as errors,
      coalesce(u.run_at, now_at + coalesce(u.delay_ms, p_delays_ms[1], 0) * interval '1 ms') as run_at, u.ord
    from unnest(p_ids, p_payloads, p_tasks, p_priorities, p_groups, p_costs, p_max_attempts, p_delays_ms, p_run_ats,
      p_attributes) with ordinality
      as u(id, payload, task, priority, group_key, cost, max_attempts, delay_ms, run_at, attributes, ord)
    where p_unique_keys is null or not exists (
      select from unnest(p_unique_keys, p_ids) as d(key, id) join svc_jobs.unique_keys k on k.key = d.key
      where d.id = u.id and k.job_id <> u.id)
  ), later as (
    insert into svc_jobs.scheduled (${columns}, run_at) select ${columns}, run_at from u where run_at > now_at
  ), bases as materialized (
    select group_key, priority, svc_jobs.tail(group_key, priority) as begin_turn
    from (select distinct group_key, priority from u where run_at <= now_at) g
  ), placed as materialized (
    select u.*, begin_turn + sum(cost) over (partition by u.group_key, u.priority order by u.ord) as turn
    from u join bases on coalesce(bases.group_key, '') = coalesce(u.group_key, '') and bases.priority = u.priority
    where run_at <= now_at
  ), inserted as (
    insert into svc_jobs.ready (${columns}, turn) select ${columns}, turn from placed
  )
  select array_agg(priority), array_agg(turn) into levels, tails from (
    select priority, max(turn) as turn from placed where group_key is null group by priority) ended;
  perform ${setUngroupedTail('priority', 'turn')} from unnest(levels, tails) as t(priority, turn);
end $$`;

/** To the front, where they came from. */
export const handBackFunction = `
create function svc_jobs.hand_back(p_jobs json) returns void language sql set search_path = pg_catalog as $$
  insert into svc_jobs.ready (${columns}, turn)
    select r.*, ${virtualTime('r.priority')} from json_to_recordset(p_jobs) as r(${typedColumns})
$$`;
