import { columns, typedColumns, withError } from './columns.ts';
import { moveVirtualTime } from './sequences.ts';

/** Expired leases. The lock comes first and the reading after it, in a statement of its own, so that it sees what was settled before the lock. */
export const takeBackFunction = `
create function svc_jobs.take_back(p_max integer) returns json language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_nestloop = off as $$
declare
  now_at timestamptz := clock_timestamp();
  over_ids uuid[];
  found_jobs json;
  ended json;
  again json;
begin
  select array_agg(l.id) into over_ids from (
    select id from svc_jobs.leases where expires_at <= now_at order by expires_at limit p_max for update skip locked) l;
  if over_ids is null then return null; end if;
  with j as materialized (
    select r.*, case when r.id = any(l.cancelled) then 'cancelled' when r.attempts >= r.max_attempts then 'dead' else 'ready' end
      as state, coalesce((r.attributes ->> 'keepMs')::double precision, 0) as keep_ms
    from svc_jobs.leases l, json_to_recordset(l.jobs) as r(${typedColumns})
    where l.id = any(over_ids)
      and not exists (select from svc_jobs.settled s where s.lease_id = l.id and s.job_id = r.id)
  ), failed as materialized (
    select id, task, payload, priority, group_key, cost, attempts, max_attempts, enqueued_at, attributes,
      ${withError(`'The worker that ran it was lost.'`)} as errors, state, keep_ms
    from j
  ), died as (
    insert into svc_jobs.dead (${columns}) select ${columns} from failed where state = 'dead'
  ), kept as (
    insert into svc_jobs.finished (${columns}, state, expires_at)
      select ${columns}, state, now_at + keep_ms * interval '1 ms' from failed where state = 'cancelled' and keep_ms > 0
  ), freed as (
    delete from svc_jobs.unique_keys k using failed f where f.state <> 'ready'
      and k.key = f.attributes ->> 'uniqueKey' and k.job_id = f.id
      and (f.attributes ->> 'uniqueUntil' <> 'removed' or f.state = 'cancelled' and f.keep_ms = 0)
  ), forgotten as (
    delete from svc_jobs.progress p using failed f where p.job_id = f.id
  )
  select json_agg(json_build_object('id', id, 'task', task, 'isDead', state = 'dead')),
    json_agg(json_build_object('id', id, 'state', state, 'isKept', state = 'dead' or keep_ms > 0)) filter (where state <> 'ready'),
    json_agg(f) filter (where state = 'ready') into found_jobs, ended, again from failed f;
  delete from svc_jobs.leases where id = any(over_ids);
  delete from svc_jobs.settled where lease_id = any(over_ids);
  delete from svc_jobs.limited where lease_id = any(over_ids);
  if ended is not null then perform svc_jobs.end_awaited(ended); end if;
  if again is not null then perform svc_jobs.make_ready(again); end if;
  return found_jobs;
end $$`;

/** Jobs whose hour has come. */
export const promoteFunction = `
create function svc_jobs.promote(p_max integer) returns void language plpgsql
set search_path = pg_catalog set enable_seqscan = off as $$
declare
  moved json;
begin
  with due as materialized (
    select id from svc_jobs.scheduled where run_at <= clock_timestamp() order by run_at limit p_max for update skip locked
  ), gone as (
    delete from svc_jobs.scheduled s using due where s.id = due.id returning s.*
  )
  select json_agg(gone order by run_at, id) into moved from gone;
  if moved is not null then perform svc_jobs.make_ready(moved); end if;
end $$`;

/**
 * One call does all that a worker asks for: due jobs become ready, expired leases are taken back, ready jobs move from the
 * hot table into one row, the lease. With floors it begins at each priority where the last claim ended: dead versions that
 * an old snapshot keeps alive are not read again.
 */
export const claimFunction = `
create function svc_jobs.claim(
  p_lease uuid, p_worker text, p_max integer, p_lease_ms double precision, p_tasks text[], p_limits json, p_floors bigint[],
  out jobs json, out lost json, out next_in_ms double precision, out pick_ms double precision, out floors bigint[]
) language plpgsql set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  began timestamptz := clock_timestamp();
  paused text[];
  picked tid[];
  more tid[];
  rate_in_ms double precision;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'svc_jobs.claim needs read committed: it must see what was settled before it has the lock';
  end if;
  if exists (select from svc_jobs.leases where expires_at <= began) then lost := svc_jobs.take_back(100); end if;
  if exists (select from svc_jobs.scheduled where run_at <= began) then perform svc_jobs.promote(greatest(p_max, 500)); end if;
  select array_agg(task) into paused from svc_jobs.paused;
  if p_max > 0 and not coalesce('*' = any(paused), false) then
    began := clock_timestamp();
    if p_limits is not null then
      perform pg_advisory_xact_lock(6117, 1);
      picked := svc_jobs.pick_limited(p_max, p_tasks, paused, p_limits);
    elsif p_floors is null then
      picked := array(
        select ctid from svc_jobs.ready
        where (p_tasks is null or task = any(p_tasks)) and (paused is null or task <> all(paused))
        order by priority desc, turn, id limit p_max for update skip locked);
    else
      picked := '{}';
      for level in reverse 9..0 loop
        exit when cardinality(picked) >= p_max;
        more := array(
          select ctid from svc_jobs.ready
          where priority = level and turn >= p_floors[level + 1]
            and (p_tasks is null or task = any(p_tasks)) and (paused is null or task <> all(paused))
          order by turn, id limit p_max - cardinality(picked) for update skip locked);
        picked := picked || more;
      end loop;
    end if;
    pick_ms := extract(epoch from clock_timestamp() - began) * 1000;
  end if;
  if cardinality(picked) > 0 then
    with gone as materialized (
      delete from svc_jobs.ready where ctid = any(picked)
      returning id, task, payload, priority, group_key, cost, (attempts + 1)::smallint as attempts, max_attempts, enqueued_at,
        attributes, errors, turn
    ), moved as (
      select json_agg(gone order by priority desc, turn, id) as all_jobs,
        array_agg(attributes ->> 'uniqueKey') filter (where attributes ->> 'uniqueUntil' = 'started') as keys,
        array_agg(id) filter (where attributes ->> 'uniqueUntil' = 'started') as key_jobs
      from gone
    ), stored as (
      insert into svc_jobs.leases (id, worker, expires_at, jobs)
      select p_lease, p_worker, clock_timestamp() + p_lease_ms * interval '1 ms', all_jobs from moved
    ), freed as (
      delete from svc_jobs.unique_keys k using moved, unnest(keys, key_jobs) as u(key, job_id)
      where k.key = u.key and k.job_id = u.job_id
    ), ended as (
      select priority, max(turn) as turn from gone group by priority
    )
    select all_jobs,
        (select array_agg(coalesce(e.turn, p_floors[level + 1], 0) order by level)
          from generate_series(0, 9) as level left join ended e on e.priority = level),
        (select count(${moveVirtualTime('priority', 'turn')}) from ended)
      into jobs, floors from moved;
  end if;
  if p_limits is not null then rate_in_ms := svc_jobs.count_limited(p_lease, jobs, p_limits); end if;
  select least(rate_in_ms,
      extract(epoch from (select min(run_at) from svc_jobs.scheduled) - clock_timestamp()) * 1000,
      extract(epoch from (select min(expires_at) from svc_jobs.leases) - clock_timestamp()) * 1000)
    into next_in_ms;
end $$`;
