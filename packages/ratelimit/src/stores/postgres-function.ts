import { slidingParts } from '../store.ts';

/**
 * The meters of `meters.ts` in PL/pgSQL. Rows are locked in the order of their keys, so that two calls never wait
 * crosswise; the time is read when all locks are held, so that it never runs backwards for a row.
 */
export const consumeFunction = `
create function svc_ratelimit.consume(claims json) returns json language plpgsql as $$
declare
  claim record;
  bucket svc_ratelimit.buckets;
  now_ms bigint;
  passes boolean := true;
  takes boolean;
  used bigint;
  over bigint;
  retry bigint;
  reset bigint;
  part bigint;
  live_moments bigint[];
  live_counts bigint[];
  size integer;
  useds bigint[] := '{}';
  overs bigint[] := '{}';
  retries bigint[] := '{}';
  outcomes json[] := '{}';
begin
  for claim in select c->>'key' as key from json_array_elements(claims) c order by (c->>'key') collate "C" loop
    loop
      perform from svc_ratelimit.buckets b where b.key = claim.key for update;
      exit when found;
      insert into svc_ratelimit.buckets (key) values (claim.key) on conflict do nothing;
    end loop;
  end loop;
  now_ms := floor(extract(epoch from clock_timestamp()) * 1000);

  for claim in
    select c.* from json_to_recordset(claims) as c
      (key text, algorithm text, quota bigint, win bigint, capacity bigint, cost bigint, shadow boolean)
  loop
    select * into strict bucket from svc_ratelimit.buckets b where b.key = claim.key;
    retry := 0;
    if claim.algorithm = 'gcra' then
      -- numeric, because a row that was idle for long has drained more than fits a bigint
      used := greatest(0, bucket.level - greatest(0, now_ms - bucket.at_ms)::numeric * claim.quota);
      over := used + (claim.cost - claim.capacity) * claim.win;
      if over > 0 then retry := (over + claim.quota - 1) / claim.quota; end if;
    elsif claim.algorithm = 'sliding_window' then
      select coalesce(sum(m.n), 0) into used
        from unnest(bucket.moments, bucket.counts) m (at, n)
        where least(m.at, now_ms) + claim.win > now_ms;
      over := used + claim.cost - claim.quota;
      if over > 0 then
        select coalesce(min(f.at) filter (where f.freed >= over), max(f.at), now_ms) + claim.win - now_ms into retry
          from (
            select least(m.at, now_ms) as at, sum(m.n) over (order by m.place) as freed
            from unnest(bucket.moments, bucket.counts) with ordinality m (at, n, place)
            where least(m.at, now_ms) + claim.win > now_ms
          ) f;
      end if;
    else
      used := case when bucket.at_ms < now_ms / claim.win then 0 else bucket.level end;
      over := used + claim.cost - claim.quota;
      if over > 0 then retry := (now_ms / claim.win + 1) * claim.win - now_ms; end if;
    end if;
    if over > 0 and not claim.shadow then passes := false; end if;
    useds := useds || used;
    overs := overs || over;
    retries := retries || retry;
  end loop;

  for claim in
    select c.*, c.place::integer as i from rows from (json_to_recordset(claims) as
      (key text, algorithm text, quota bigint, win bigint, capacity bigint, cost bigint, shadow boolean))
      with ordinality as c (key, algorithm, quota, win, capacity, cost, shadow, place)
  loop
    used := useds[claim.i];
    takes := passes and overs[claim.i] <= 0 and claim.cost > 0;
    if claim.algorithm = 'gcra' then
      if takes then used := used + claim.cost * claim.win; end if;
      reset := (used + claim.quota - 1) / claim.quota;
      if takes then
        update svc_ratelimit.buckets b set level = used, at_ms = now_ms, expires_ms = now_ms + reset
          where b.key = claim.key;
      end if;
      used := (used + claim.win - 1) / claim.win;
    elsif claim.algorithm = 'sliding_window' then
      select array_agg(least(m.at, now_ms) order by m.place), array_agg(m.n order by m.place)
        into live_moments, live_counts
        from svc_ratelimit.buckets b, unnest(b.moments, b.counts) with ordinality m (at, n, place)
        where b.key = claim.key and least(m.at, now_ms) + claim.win > now_ms;
      size := coalesce(array_length(live_moments, 1), 0);
      if takes then
        used := used + claim.cost;
        part := (claim.win + ${slidingParts - 1}) / ${slidingParts};
        if size > 0 and live_moments[size] / part = now_ms / part then
          live_moments[size] := now_ms;
          live_counts[size] := live_counts[size] + claim.cost;
        else
          live_moments := live_moments || now_ms;
          live_counts := live_counts || claim.cost;
          size := size + 1;
        end if;
        update svc_ratelimit.buckets b
          set moments = live_moments, counts = live_counts, at_ms = now_ms, expires_ms = now_ms + claim.win
          where b.key = claim.key;
      end if;
      reset := case when size = 0 then 0 else live_moments[size] + claim.win - now_ms end;
    else
      if takes then
        used := used + claim.cost;
        update svc_ratelimit.buckets b
          set level = used, at_ms = now_ms / claim.win, expires_ms = (now_ms / claim.win + 1) * claim.win
          where b.key = claim.key;
      end if;
      reset := case when used = 0 then 0 else (now_ms / claim.win + 1) * claim.win - now_ms end;
    end if;
    outcomes := outcomes || json_build_object(
      'hasRoom', overs[claim.i] <= 0,
      'remaining', greatest(0, claim.capacity - used),
      'retryAfterMs', retries[claim.i],
      'resetAfterMs', reset);
  end loop;
  return array_to_json(outcomes);
end $$`;
