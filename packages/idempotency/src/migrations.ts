import type { Migrations } from '@svc/db';

// In one call, and each statement of a function sees what committed before it began: what is read after the lock is
// what the one who had the lock before left behind. (One statement with a CTE would read what was there before it waited.)
const claimFunction = `
create function svc_idempotency.claim(
  p_key text, p_fingerprint text, p_token uuid, p_lease_ms bigint, p_ttl_ms bigint, p_joins boolean,
  out state text, out fingerprint text, out lease_left_ms double precision,
  out status integer, out headers text, out body bytea
) language plpgsql set search_path = pg_catalog as $$
declare
  is_locked boolean := false;
  now_at timestamptz;
  idle_ms bigint;
begin
  loop
    now_at := clock_timestamp();
    select k.state, k.fingerprint, extract(epoch from k.lease_until - now_at) * 1000, k.status, k.headers, k.body
      into state, fingerprint, lease_left_ms, status, headers, body
      from svc_idempotency.keys k where k.key = p_key and k.expires_at > now_at;
    if found and (state <> 'running' or lease_left_ms > 0 or fingerprint <> p_fingerprint) then return; end if;
    if not is_locked then
      -- Never waits: a caller that waits here holds a connection that the one it waits for may need.
      is_locked := pg_try_advisory_xact_lock(hashtextextended(p_key, 6117));
      if not is_locked then
        state := 'running'; fingerprint := null; lease_left_ms := p_lease_ms;
        return;
      end if;
      continue;
    end if;
    if p_joins then
      -- Written when it is finished. A process that hangs in the middle loses its session, and so the lock.
      idle_ms := extract(epoch from current_setting('idle_in_transaction_session_timeout')::interval) * 1000;
      if idle_ms = 0 or idle_ms > p_lease_ms then
        perform set_config('idle_in_transaction_session_timeout', p_lease_ms::text, true);
      end if;
      state := 'granted';
      return;
    end if;
    insert into svc_idempotency.keys as k (key, fingerprint, token, state, lease_until, expires_at)
      values (p_key, p_fingerprint, p_token, 'running',
        now_at + p_lease_ms * interval '1 ms', now_at + p_ttl_ms * interval '1 ms')
      on conflict (key) do update
        set fingerprint = excluded.fingerprint, token = excluded.token, state = 'running',
          lease_until = excluded.lease_until, expires_at = excluded.expires_at,
          status = null, headers = null, body = null
        where k.expires_at <= now_at
          or (k.state = 'running' and k.lease_until <= now_at and k.fingerprint = p_fingerprint);
    if found then
      state := 'granted';
      return;
    end if;
    -- The one whose lease had ended has finished after all, between the two statements.
  end loop;
end $$`;

/** The table of `@svc/idempotency`, in schema `svc_idempotency`. */
export const idempotencyMigrations: Migrations = {
  schema: 'svc_idempotency',
  steps: [
    {
      name: '0001_keys',
      up: [
        // Half empty pages: what is finished is written beside what was claimed, and no index is touched.
        `create table svc_idempotency.keys (
          key text collate "C" primary key,
          fingerprint text not null,
          token uuid not null,
          state text not null check (state in ('running', 'done', 'sensitive', 'streamed', 'too_large', 'late')),
          lease_until timestamptz not null,
          expires_at timestamptz not null,
          status integer,
          headers text,
          body bytea,
          check ((state = 'done') = (status is not null and headers is not null and body is not null))
        ) with (fillfactor = 50)`,
        `create index keys_by_expiry on svc_idempotency.keys (expires_at)`,
        claimFunction,
      ],
      down: [`drop function svc_idempotency.claim`, `drop table svc_idempotency.keys`],
    },
  ],
};
