import { expect, test } from 'vitest';
import { request } from './client.ts';

test('/ping answers to everybody', async () => {
  const answer = await request('/ping');
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ pong: true });
});

test('/openapi.json and /docs are there', async () => {
  const document = (await (await request('/openapi.json')).json()) as {
    openapi: string;
    paths: Record<string, unknown>;
  };
  expect(document.openapi).toMatch(/^3\.1\./);
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining(['/ping', '/auth/login', '/projects', '/projects/{id}']),
  );
  const page = await request('/docs');
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('/projects/{id}');
});
