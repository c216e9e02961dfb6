import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import { expectJson, request, signUpInTenant } from './client.ts';
import { createEndpoint, newPath, received, sendTest } from './webhooks.ts';

type Received = Awaited<ReturnType<typeof received>>[number];

const verifies = (secret: string, { headers, body }: Received) => {
  try {
    new Webhook(secret).verify(body, headers as Record<string, string>);
    return true;
  } catch {
    // Which of its checks refused does not matter here.
    return false;
  }
};

async function openEndpoint() {
  const { token } = await signUpInTenant();
  const path = newPath();
  const { endpoint, secret } = await createEndpoint(token, path);
  const at = `/webhooks/endpoints/${endpoint.id}`;
  let count = 0;
  return {
    first: secret,
    rotate: async (overlapSeconds: number) => {
      const rotated = request(`${at}/rotate`, { as: token, json: { overlapSeconds } });
      return (await expectJson<{ secret: string }>(rotated)).secret;
    },
    secrets: async () =>
      (await expectJson<{ items: object[] }>(request(`${at}/secrets`, { as: token }))).items,
    /** Sends one and answers which of the secrets verify it. */
    verifying: async (...secrets: string[]) => {
      count += 1;
      expect((await sendTest(token, endpoint.id)).status).toBe('delivered');
      const webhook = (await received(path, count))[count - 1] as Received;
      return secrets.filter((each) => verifies(each, webhook));
    },
  };
}

test('during a rotation the old and the new secret verify, and after it only the new', async () => {
  const { first, rotate, verifying, secrets } = await openEndpoint();
  expect(await verifying(first)).toEqual([first]);
  const second = await rotate(3);
  expect(second).not.toBe(first);
  expect(await verifying(first, second)).toEqual([first, second]);
  await waitFor('the overlap to end', 10_000, async () =>
    (await verifying(first, second)).length === 1 ? true : undefined,
  );
  expect(await verifying(first, second)).toEqual([second]);
  expect(await secrets()).toHaveLength(1);
});

test('every secret that is still valid signs, and a rotation without an overlap ends them all at once', async () => {
  const { first, rotate, verifying, secrets } = await openEndpoint();
  const [second, third] = [await rotate(3600), await rotate(3600)];
  expect(await verifying(first, second, third)).toEqual([first, second, third]);
  const shown = JSON.stringify(await secrets());
  for (const secret of [first, second, third])
    expect(shown).not.toContain(secret.replace('whsec_', ''));
  const last = await rotate(0);
  expect(await verifying(first, second, third, last)).toEqual([last]);
  expect(await secrets()).toHaveLength(1);
});

test('of rotations at once each secret is one of those that sign', async () => {
  const { first, rotate, verifying } = await openEndpoint();
  const made = await Promise.all(Array.from({ length: 8 }, () => rotate(3600)));
  expect(new Set(made).size).toBe(8);
  expect(await verifying(first, ...made)).toEqual([first, ...made]);
});
