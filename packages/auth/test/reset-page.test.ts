import { databaseTest } from '@svc/db/testing';
import { Hono } from 'hono';
import { expect } from 'vitest';
import { authRoutes } from '../src/hono.ts';
import { authMigrations } from '../src/migrations.ts';
import { openAuth } from './open-auth.ts';

const test = databaseTest([authMigrations]);

test('the page of a reset masks what is typed, and leaves pasting and password managers alone', async ({
  db,
}) => {
  const app = new Hono().route('/auth', authRoutes(openAuth(db).auth));
  const text = await (await app.request(`/auth/password/reset?token=${'a'.repeat(43)}`)).text();
  const inputs = [...text.matchAll(/<input[^>]*>/g)].map(([input]) => input);
  const field = inputs.find((input) => input.includes('name="password"')) ?? '';
  expect(field).toContain('type="password"');
  expect(field).toContain('autocomplete="new-password"');
  expect(field).not.toMatch(/maxlength|pattern|autocomplete="off"/);
  expect(text).not.toMatch(/onpaste|<script/i);
});
