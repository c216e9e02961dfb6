import { columns, prefixed, typedColumns, withError } from './columns.ts';

/**
 * Finds jobs and keeps them from ending before this transaction does: whoever ends one afterwards sees who waits for it.
 * Gives none for ids of which there is no record. A job can move on between two looks, so it looks again.
 */
export const holdFunction = `
create function svc_jobs.hold(p_ids uuid[]) returns table (id uuid, state text, result text) language plpgsql
set search_path = pg_catalog set enable_seqscan = off as $$
#variable_conflict use_column
declare
  wanted uuid[] := p_ids;
  held uuid[];
  lease_ids uuid[];
begin
  for look in 1..5 loop
    held := array(select id from svc_jobs.ready where id = any(wanted) order by id for key share);
    held := held || array(select id from svc_jobs.scheduled where id = any(wanted) order by id for key share);
    held := held || array(select id from svc_jobs.waiting where id = any(wanted) order by id for key share);
    return query select h, null::text, null::text from unnest(held) h;
    wanted := array(select unnest(wanted) except select unnest(held));
    exit when cardinality(wanted) = 0;
    held := array(select id from svc_jobs.dead where id = any(wanted) order by id for key share);
    return query select h, 'dead', null::text from unnest(held) h;
    wanted := array(select unnest(wanted) except select unnest(held));
    lease_ids := array(select l.id from svc_jobs.leases l where exists (
      select from json_to_recordset(l.jobs) as j(id uuid) where j.id = any(wanted)) order by l.id for key share);
    -- The row lock holds up who deletes the lease whole, this one who settles a job of it; heartbeats mind neither.
    perform pg_advisory_xact_lock(6118, hashtext(l::text)) from unnest(lease_ids) l;
    held := array(select j.id from svc_jobs.leases l, json_to_recordset(l.jobs) as j(id uuid)
      where l.id = any(lease_ids) and j.id = any(wanted)
        and not exists (select from svc_jobs.settled s where s.lease_id = l.id and s.job_id = j.id));
    return query select h, null::text, null::text from unnest(held) h;
    wanted := array(select unnest(wanted) except select unnest(held));
    held := array(select id from svc_jobs.finished where id = any(wanted));
    return query select id, state, result from svc_jobs.finished where id = any(held);
    wanted := array(select unnest(wanted) except select unnest(held));
    exit when cardinality(wanted) = 0;
  end loop;
end $$`;

/** Jobs of which some wait for others. Gives ids of which there is no record: then nothing was stored. */
export const enqueueWaitingFunction = `
create function svc_jobs.enqueue_waiting(p_jobs json, out missing uuid[], out duplicates json) language plpgsql
set search_path = pg_catalog set enable_seqscan = off as $$
declare
  now_at timestamptz := clock_timestamp();
  wanted uuid[];
  held json;
  fresh uuid[];
begin
  wanted := array(select distinct a.id::uuid from json_array_elements(p_jobs) j,
    json_array_elements_text(j -> 'after') as a(id) order by 1);
  select json_agg(h) into held from svc_jobs.hold(wanted) h;
  missing := array(select unnest(wanted) except select id from json_to_recordset(held) as h(id uuid));
  if cardinality(missing) > 0 then return; end if;
  insert into svc_jobs.unique_keys (key, job_id)
    select attributes ->> 'uniqueKey', id from json_to_recordset(p_jobs) as j(id uuid, attributes json)
    where attributes ->> 'uniqueKey' is not null order by 1, 2 on conflict do nothing;
  select json_agg(json_build_object('duplicate', j.id, 'existing', k.job_id)) into duplicates
    from json_to_recordset(p_jobs) as j(id uuid, attributes json)
    join svc_jobs.unique_keys k on k.key = j.attributes ->> 'uniqueKey' where k.job_id <> j.id;
  fresh := array(select id from json_to_recordset(p_jobs) as j(id uuid)
    except select duplicate from json_to_recordset(duplicates) as d(duplicate uuid));
  insert into svc_jobs.waiting (id, task, payload, priority, group_key, cost, max_attempts, enqueued_at, attributes, run_at)
    select id, task, payload, priority, "group", cost, "maxAttempts", now_at, nullif(attributes::text, '{}')::json,
      coalesce("runAt", now_at + "delayMs" * interval '1 ms')
    from json_to_recordset(p_jobs) as j(id uuid, task text, payload text, priority smallint, "group" text, cost integer,
      "maxAttempts" smallint, attributes json, "runAt" timestamptz, "delayMs" double precision)
    where id = any(fresh);
  insert into svc_jobs.dependencies (job_id, awaited_id, place, state, result)
    select j.id, a.id::uuid, a.place, h.state, h.result from json_to_recordset(p_jobs) as j(id uuid, after json),
      json_array_elements_text(j.after) with ordinality as a(id, place)
      join json_to_recordset(held) as h(id uuid, state text, result text) on h.id = a.id::uuid
    where j.id = any(fresh);
  perform svc_jobs.end_awaited((svc_jobs.resolve(fresh)).failed);
end $$`;

/**
 * Decides what becomes of jobs that wait. The lock comes first and the reading after it, so that of two that end the last
 * two jobs at once the second sees what the first did.
 */
export const resolveFunction = `
create function svc_jobs.resolve(p_jobs uuid[], out failed json, out is_released boolean) language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_nestloop = on as $$
declare
  now_at timestamptz := clock_timestamp();
  again json;
begin
  perform from svc_jobs.waiting where id = any(p_jobs) order by id for update;
  with w as materialized (
    select id, coalesce(attributes ->> 'onFailure', 'wait') as on_failure from svc_jobs.waiting where id = any(p_jobs)
  ), judged as materialized (
    select id, case
      when on_failure <> 'run' and exists (select from svc_jobs.dependencies d
        where d.job_id = w.id and d.state in ('cancelled', 'purged')) then 'fails'
      when on_failure = 'fail' and exists (select from svc_jobs.dependencies d
        where d.job_id = w.id and d.state = 'dead') then 'fails'
      when exists (select from svc_jobs.dependencies d where d.job_id = w.id and d.state is null) then 'waits'
      when on_failure = 'wait' and exists (select from svc_jobs.dependencies d
        where d.job_id = w.id and d.state = 'dead') then 'waits'
      else 'runs' end as verdict
    from w
  ), gone as (
    delete from svc_jobs.waiting w using judged j where w.id = j.id and verdict <> 'waits'
    returning ${prefixed('w')}, w.run_at, verdict
  ), later as (
    insert into svc_jobs.scheduled (${columns}, run_at)
      select ${columns}, run_at from gone where verdict = 'runs' and run_at > now_at
  ), died as (
    insert into svc_jobs.dead (${columns})
      select id, task, payload, priority, group_key, cost, attempts, max_attempts, enqueued_at, attributes,
        ${withError(`'A job that it waited for did not end well.'`)} from gone where verdict = 'fails'
  ), freed as (
    delete from svc_jobs.unique_keys k using gone g where g.verdict = 'fails'
      and k.key = g.attributes ->> 'uniqueKey' and k.job_id = g.id and g.attributes ->> 'uniqueUntil' <> 'removed'
  )
  select json_agg(g order by id) filter (where verdict = 'runs' and run_at <= now_at),
    json_agg(json_build_object('id', id, 'state', 'dead', 'isKept', true)) filter (where verdict = 'fails')
    into again, failed from gone g;
  is_released := again is not null;
  if is_released then perform svc_jobs.make_ready(again); end if;
end $$`;

/** Tells those who wait how jobs ended, and those who wait for them if that made them fail. Gives whether one is ready now. */
export const endAwaitedFunction = `
create function svc_jobs.end_awaited(p_ended json) returns boolean language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_nestloop = on as $$
declare
  ended json := p_ended;
  waiting uuid[];
  resolved record;
  is_released boolean := false;
begin
  delete from svc_jobs.dependencies d using json_to_recordset(p_ended) as e(id uuid, "isKept" boolean)
    where d.job_id = e.id and not e."isKept";
  while ended is not null loop
    with told as (
      update svc_jobs.dependencies d set state = e.state, result = e.result
        from json_to_recordset(ended) as e(id uuid, state text, result text) where d.awaited_id = e.id
        returning d.job_id
    )
    select array_agg(distinct job_id) into waiting from told;
    exit when waiting is null;
    resolved := svc_jobs.resolve(waiting);
    is_released := is_released or resolved.is_released;
    ended := resolved.failed;
  end loop;
  return is_released;
end $$`;

/**
 * As \`end_awaited\`, of a lease whose every job is done. It is called by the statement that deletes the lease, after it had
 * to wait for who held a job of it, and looks with a snapshot of its own.
 */
export const endLeaseFunction = `
create function svc_jobs.end_lease(p_jobs json, p_ids uuid[], p_results text[]) returns boolean language plpgsql
set search_path = pg_catalog set enable_seqscan = off as $$
begin
  if not exists (select from svc_jobs.dependencies) then return false; end if;
  return svc_jobs.end_awaited((
    select json_agg(json_build_object('id', j.id, 'state', 'done', 'result', r.result,
      'isKept', coalesce((j.attributes ->> 'keepMs')::double precision, 0) > 0))
    from json_to_recordset(p_jobs) as j(id uuid, attributes json) left join unnest(p_ids, p_results) as r(id, result) on r.id = j.id
    where exists (select from svc_jobs.dependencies d where d.awaited_id = j.id)
      or exists (select from svc_jobs.dependencies d where d.job_id = j.id)));
end $$`;

/** Of dead letters that are ready again those that have to wait for others once more; gives the rest. */
export const waitAgainFunction = `
create function svc_jobs.wait_again(p_jobs json) returns json language plpgsql
set search_path = pg_catalog set enable_seqscan = off as $$
declare
  ids uuid[] := array(select id from json_to_recordset(p_jobs) as j(id uuid));
  rest json;
begin
  if not exists (select from svc_jobs.dependencies) then return p_jobs; end if;
  update svc_jobs.dependencies set state = null where awaited_id = any(ids) and state = 'dead';
  -- Who ends one of them now has to wait, and finds the job waiting.
  perform from svc_jobs.dependencies where job_id = any(ids) and (state is null or state = 'dead')
    order by awaited_id, job_id for update;
  with j as materialized (
    select r.*, exists (select from svc_jobs.dependencies d where d.job_id = r.id
      and (d.state is null or d.state = 'dead' and r.attributes ->> 'onFailure' is distinct from 'run')) as waits
    from json_to_recordset(p_jobs) as r(${typedColumns})
  ), back as (
    insert into svc_jobs.waiting (${columns}, run_at) select ${columns}, clock_timestamp() from j where waits
  )
  select json_agg(j) filter (where not waits) into rest from j;
  return rest;
end $$`;
