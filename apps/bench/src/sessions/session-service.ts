import type { Hono } from 'hono';

/** A request with a cookie, and who must be found to ask. */
export interface Asker {
  readonly cookie: string;
  /** `null` where the session was revoked. */
  readonly userId: string | null;
}

/** Sessions of one make, mounted in an app whose `GET /` answers 204 with the user's id in the header `User`, or 401. */
export interface SessionService {
  readonly app: Pick<Hono, 'fetch'>;
  readonly askers: readonly Asker[];
  close(): Promise<unknown>;
}

export const people = 100;
export const sessionsPerPerson = 10;
/** One session of so many is revoked before the measurement. */
export const revokedEvery = 50;
export const poolSize = 10;
export const publicUrl = 'https://app.example.com';

export const emailOf = (person: number) => `person${person}@example.com`;
export const password = 'seven quiet otters at dawn';
