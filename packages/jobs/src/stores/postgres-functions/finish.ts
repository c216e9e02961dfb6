import { columns, typedColumns, withError } from './columns.ts';

/** How an attempt ends: what was cancelled does not run again. */
const kind = (id: string, cancelled: string) =>
  `case when o.kind in ('retry', 'back') and ${id} = any(${cancelled}) then 'cancelled' else o.kind end`;

/** Outcomes, each once and only under its lease; gives those it refused. Leases of which nothing is left are deleted whole. */
export const finishFunction = `
create function svc_jobs.finish(p_outcomes json, p_closed uuid[], out refused json, out is_released boolean) language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_nestloop = off set lock_timeout = '2s' as $$
declare
  now_at timestamptz := clock_timestamp();
  whole uuid[];
  accepted json;
  back json;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'svc_jobs.finish needs read committed: it must see what was settled before it has the lock';
  end if;
  -- A transaction that is completing a job of it holds the lease: then it stays, settled, until it expires.
  whole := array(select id from svc_jobs.leases where id = any(p_closed) order by id for update skip locked);
  -- The advisory lock waits for who holds a job of the lease, so that another can wait for it: see svc_jobs.hold.
  with o as materialized (
    select * from json_to_recordset(p_outcomes) as r(lease uuid, id uuid, kind text)
  ), there as materialized (
    select id, pg_advisory_xact_lock_shared(6118, hashtext(id::text)) from svc_jobs.leases
    where id in (select lease from o where lease <> all(whole)) order by id for key share
  ), settled as (
    insert into svc_jobs.settled (lease_id, job_id)
      select lease, o.id from o join there on there.id = o.lease where kind <> 'released' order by 1, 2
      on conflict do nothing returning lease_id as lease, job_id as id
  )
  select json_agg(a) into accepted from (
    select lease, id from settled
    union all
    select lease, id from o where lease = any(whole) and kind <> 'released'
      and not exists (select from svc_jobs.settled s where s.lease_id = o.lease and s.job_id = o.id)
  ) a;
  -- Who cancels such a job at this moment comes before, and is heeded, or after, and finds where it is then.
  perform from svc_jobs.leases where id in (
    select lease from json_to_recordset(p_outcomes) as r(lease uuid, kind text) where kind in ('retry', 'back'))
    order by id for no key update;
  with o as materialized (
    select r.* from json_to_recordset(p_outcomes)
      as r(lease uuid, id uuid, kind text, result text, error text, "delayMs" double precision)
  ), held as materialized (
    select l.id as lease, l.cancelled, r.* from svc_jobs.leases l cross join lateral json_to_recordset(l.jobs) as r(${typedColumns})
    where l.id in (select lease from json_to_recordset(accepted) as a(lease uuid))
  ), e as materialized (
    select h.*, ${kind('h.id', 'h.cancelled')} as kind, o.result, o.error, o."delayMs" as delay_ms
    from json_to_recordset(accepted) as a(lease uuid, id uuid)
    join o on o.lease = a.lease and o.id = a.id
    join held h on h.lease = a.lease and h.id = a.id
  ), kept as (
    insert into svc_jobs.finished (${columns}, state, result, expires_at)
      select ${columns}, kind, result, now_at + coalesce((attributes ->> 'keepMs')::double precision, 0) * interval '1 ms'
      from e where kind in ('done', 'cancelled') and (attributes ->> 'keepMs')::double precision > 0
  ), died as (
    insert into svc_jobs.dead (${columns})
      select id, task, payload, priority, group_key, cost, attempts, max_attempts, enqueued_at, attributes,
        ${withError('error')} from e where kind = 'dead'
  ), later as (
    insert into svc_jobs.scheduled (${columns}, run_at)
      select id, task, payload, priority, group_key, cost, attempts, max_attempts, enqueued_at, attributes,
        ${withError('error')}, now_at + delay_ms * interval '1 ms' from e where kind = 'retry'
  ), freed as (
    delete from svc_jobs.unique_keys k using e
    where e.kind in ('done', 'cancelled', 'dead') and k.key = e.attributes ->> 'uniqueKey' and k.job_id = e.id
      and (e.attributes ->> 'uniqueUntil' <> 'removed'
        or (e.kind <> 'dead' and coalesce((e.attributes ->> 'keepMs')::double precision, 0) = 0))
  ), forgotten as (
    delete from svc_jobs.progress p using e where p.job_id = e.id
  ), released as (
    delete from svc_jobs.limited l using o where l.lease_id = o.lease and l.job_id = o.id
  )
  select json_agg(b) into back from (
    select id, task, payload, priority, group_key, cost, (attempts - 1)::smallint as attempts, max_attempts, enqueued_at,
      attributes, errors from e where kind = 'back') b;
  if back is not null then perform svc_jobs.hand_back(back); end if;
  if exists (select from svc_jobs.dependencies) then
    is_released := svc_jobs.end_awaited((
      select json_agg(json_build_object('id', o.id, 'state', e.kind, 'result', o.result,
        'isKept', e.kind = 'dead' or coalesce((j.attributes ->> 'keepMs')::double precision, 0) > 0))
      from json_to_recordset(p_outcomes) as o(lease uuid, id uuid, kind text, result text)
      join json_to_recordset(accepted) as a(lease uuid, id uuid) on a.lease = o.lease and a.id = o.id
      join svc_jobs.leases l on l.id = o.lease
      join lateral json_to_recordset(l.jobs) as j(id uuid, attributes json) on j.id = o.id
      cross join lateral (select ${kind('o.id', 'l.cancelled')} as kind) e
      where e.kind in ('done', 'cancelled', 'dead')));
  end if;
  if cardinality(whole) > 0 then
    delete from svc_jobs.leases where id = any(whole);
    delete from svc_jobs.settled where lease_id = any(whole);
    delete from svc_jobs.limited where lease_id = any(whole);
  end if;
  select json_agg(o) into refused from (
    select lease, id from json_to_recordset(p_outcomes) as r(lease uuid, id uuid, kind text) where kind <> 'released'
    except select lease, id from json_to_recordset(accepted) as a(lease uuid, id uuid)) o;
end $$`;

/** In the transaction of the handler. */
export const completeFunction = `
create function svc_jobs.complete(p_lease uuid, p_job uuid, p_result text, out is_done boolean, out is_released boolean)
language plpgsql set search_path = pg_catalog set enable_seqscan = off as $$
begin
  is_done := false;
  is_released := false;
  perform from svc_jobs.leases where id = p_lease for key share;
  if not found then return; end if;
  perform pg_advisory_xact_lock_shared(6118, hashtext(p_lease::text));
  insert into svc_jobs.settled (lease_id, job_id) values (p_lease, p_job) on conflict do nothing;
  if not found then return; end if;
  is_done := true;
  with e as materialized (
    select j.* from svc_jobs.leases l, json_to_recordset(l.jobs) as j(${typedColumns}) where l.id = p_lease and j.id = p_job
  ), kept as (
    insert into svc_jobs.finished (${columns}, state, result, expires_at)
      select ${columns}, 'done', p_result, clock_timestamp() + (attributes ->> 'keepMs')::double precision * interval '1 ms'
      from e where (attributes ->> 'keepMs')::double precision > 0
  ), forgotten as (
    delete from svc_jobs.progress p using e where p.job_id = e.id
  )
  delete from svc_jobs.unique_keys k using e where k.key = e.attributes ->> 'uniqueKey' and k.job_id = e.id
    and (e.attributes ->> 'uniqueUntil' <> 'removed' or coalesce((e.attributes ->> 'keepMs')::double precision, 0) = 0);
  if exists (select from svc_jobs.dependencies) then
    is_released := svc_jobs.end_awaited(json_build_array(json_build_object('id', p_job, 'state', 'done', 'result', p_result,
      'isKept', exists (select from svc_jobs.finished where id = p_job))));
  end if;
end $$`;

/** Looks twice, since a job can move on between two looks, and at a lease once more when it has the lock. */
export const cancelFunction = `
create function svc_jobs.cancel(p_job uuid) returns text language plpgsql
set search_path = pg_catalog set enable_seqscan = off as $$
declare
  was text;
begin
  for look in 1..2 loop
    with r as (delete from svc_jobs.ready where id = p_job returning ${columns}),
      s as (delete from svc_jobs.scheduled where id = p_job returning ${columns}),
      w as (delete from svc_jobs.waiting where id = p_job returning ${columns}),
      e as (select 'ready' as state, r.* from r union all select 'scheduled', s.* from s
        union all select 'waiting', w.* from w),
      kept as (
        insert into svc_jobs.finished (${columns}, state, result, expires_at)
          select ${columns}, 'cancelled', null,
            clock_timestamp() + (attributes ->> 'keepMs')::double precision * interval '1 ms'
          from e where (attributes ->> 'keepMs')::double precision > 0),
      freed as (
        delete from svc_jobs.unique_keys k using e where k.key = e.attributes ->> 'uniqueKey' and k.job_id = e.id
          and (e.attributes ->> 'uniqueUntil' <> 'removed' or coalesce((e.attributes ->> 'keepMs')::double precision, 0) = 0))
      select state into was from e;
    if was is not null then
      perform svc_jobs.end_awaited(json_build_array(json_build_object('id', p_job, 'state', 'cancelled',
        'isKept', exists (select from svc_jobs.finished where id = p_job))));
      return was;
    end if;
    perform from svc_jobs.leases l where exists (select from json_array_elements(l.jobs) j where (j ->> 'id')::uuid = p_job)
      for no key update;
    update svc_jobs.leases l set cancelled = array_append(cancelled, p_job)
      where exists (select from json_array_elements(l.jobs) j where (j ->> 'id')::uuid = p_job)
        and not exists (select from svc_jobs.settled s where s.lease_id = l.id and s.job_id = p_job);
    if found then return 'running'; end if;
    select state into was from svc_jobs.finished where id = p_job;
    if was is not null then return was; end if;
    if exists (select from svc_jobs.dead where id = p_job) then return 'dead'; end if;
  end loop;
  return null;
end $$`;

/** A scheduled job is ready now; a dead one, too, with fresh attempts. */
export const retryFunction = `
create function svc_jobs.retry(p_job uuid) returns text language plpgsql
set search_path = pg_catalog set enable_seqscan = off as $$
declare
  was text;
  again json;
begin
  with s as (delete from svc_jobs.scheduled where id = p_job returning ${columns})
    select 'scheduled', json_agg(s) into was, again from s having count(*) > 0;
  if was is null then
    if svc_jobs.replay(array(select id from svc_jobs.dead where id = p_job for update)) > 0 then return 'dead'; end if;
    return case when exists (select from svc_jobs.ready where id = p_job) then 'ready'
      when exists (select from svc_jobs.waiting where id = p_job) then 'waiting'
      when exists (select from svc_jobs.leases l, json_array_elements(l.jobs) j where (j ->> 'id')::uuid = p_job
        and not exists (select from svc_jobs.settled s where s.lease_id = l.id and s.job_id = p_job)) then 'running'
      else (select state from svc_jobs.finished where id = p_job) end;
  end if;
  perform svc_jobs.make_ready(again);
  return was;
end $$`;

/** Dead letters, which the caller has locked, are ready again. Their errors stay; a unique key that is taken stays with who has it. */
export const replayFunction = `
create function svc_jobs.replay(p_jobs uuid[]) returns integer language plpgsql
set search_path = pg_catalog set enable_seqscan = off as $$
declare
  again json;
  amount integer;
begin
  with gone as (delete from svc_jobs.dead where id = any(p_jobs) returning ${columns}, died_at),
    fresh as (
      select id, task, payload, priority, group_key, cost, 0::smallint as attempts, max_attempts, enqueued_at, attributes,
        errors, died_at from gone),
    taken as (
      insert into svc_jobs.unique_keys (key, job_id)
        select attributes ->> 'uniqueKey', id from fresh where attributes ->> 'uniqueKey' is not null order by 1
        on conflict do nothing)
    select json_agg(fresh order by died_at, id), count(*) into again, amount from fresh;
  if amount > 0 then again := svc_jobs.wait_again(again); end if;
  if again is not null then perform svc_jobs.make_ready(again); end if;
  return amount;
end $$`;
