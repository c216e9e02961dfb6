import { sql } from 'kysely';
import { type Db, surroundingsOf } from './connection.ts';
import { UnsafeRole } from './failures.ts';

interface RoleFacts {
  role: string;
  superuser: boolean;
  bypasses: boolean;
  login: string;
  login_superuser: boolean;
  owned: string | null;
}

/**
 * Refuses, at start-up, to run the app as a role for which row-level security is silently off: a superuser, one with
 * BYPASSRLS, or the owner (directly or by membership) of any table, who could switch it off (PostgreSQL
 * documentation, 5.9). On PostgreSQL the role that logged in counts too, since `reset role` leads back to it.
 *
 * @throws {UnsafeRole} that names the reasons.
 */
export async function assertAppRole(db: Db): Promise<void> {
  const { rows } = await sql<RoleFacts>`
    select current_user::text as role, me.rolsuper as superuser, me.rolbypassrls as bypasses,
      session_user::text as login, login.rolsuper or login.rolbypassrls as login_superuser,
      (select min(c.oid::regclass::text) from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
          and pg_catalog.pg_has_role(current_user, c.relowner, 'member')) as owned
    from pg_catalog.pg_roles me, pg_catalog.pg_roles login
    where me.rolname = current_user and login.rolname = session_user`.execute(db);
  const facts = rows[0] as RoleFacts;
  const reasons: string[] = [];
  if (facts.superuser) reasons.push('it is a superuser');
  if (facts.bypasses && !facts.superuser) reasons.push('it has BYPASSRLS');
  if (facts.owned !== null && !facts.superuser) reasons.push(`it owns ${facts.owned}`);
  const switched = facts.login !== facts.role && surroundingsOf(db).engine === 'postgres';
  if (switched && facts.login_superuser)
    reasons.push(`it logged in as ${facts.login}, which bypasses it`);
  if (reasons.length > 0) throw new UnsafeRole(facts.role, reasons);
}
