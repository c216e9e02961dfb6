import { createHmac } from 'node:crypto';
import { testClock } from '@svc/core/testing';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import {
  bodyVerifier,
  createWebhookSecret,
  createWebhookSigner,
  createWebhookVerifier,
  githubVerifier,
  stripeVerifier,
  verifyWebhook,
} from '../src/index.ts';
import { prepareHmacSha256 } from '../src/signing/hmac.ts';
import { faultOf } from './fault-of.ts';

// The vector of Standard Webhooks' own libraries.
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const timestamp = 1_614_265_330;
const body = '{"test": 2432232314}';
const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
const clock = testClock(new Date(timestamp * 1000).toISOString());
const headers = {
  'webhook-id': id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': signature,
};
const nowSeconds = () => Math.floor(performance.timeOrigin / 1000 + performance.now() / 1000);

describe('the published vector', () => {
  test('is what signing gives', () => {
    expect(createWebhookSigner([secret]).sign({ id, timestamp, body })).toBe(signature);
  });
  test('is verified, with headers of every kind', () => {
    const verify = createWebhookVerifier([secret], { clock });
    const upper = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]),
    );
    for (const each of [headers, new Headers(headers), upper])
      expect(verify({ headers: each, body }).id).toBe(id);
    expect(verify({ headers, body: Buffer.from(body) }).sentAt).toEqual(clock.now());
  });
  test('is found among signatures that are wrong or of other schemes', () => {
    const wrong = signature.replace('g0h', 'AAA');
    const list = `${wrong} v2,abc ${signature} ${wrong}`;
    const verify = createWebhookVerifier([secret], { clock });
    expect(verify({ headers: { ...headers, 'webhook-signature': list }, body }).id).toBe(id);
  });
  test('is verified as a Request', async () => {
    const request = new Request('https://a.example', { method: 'POST', headers, body });
    expect((await verifyWebhook(request, [secret], { clock })).id).toBe(id);
  });
});

test('what the published library signs we verify, and what we sign it verifies', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.uint8Array({ minLength: 24, maxLength: 64 }), (value, bytes) => {
      const own = `whsec_${Buffer.from(bytes).toString('base64')}`;
      const text = JSON.stringify(value);
      fc.pre(text.isWellFormed());
      const theirs = new Webhook(own);
      const seconds = nowSeconds();
      const signed = theirs.sign(id, new Date(seconds * 1000), text);
      const ours = createWebhookSigner([own]).sign({ id, timestamp: seconds, body: text });
      expect(ours).toBe(signed);
      const sent = { ...headers, 'webhook-timestamp': String(seconds), 'webhook-signature': ours };
      expect(theirs.verify(text, sent)).toEqual(JSON.parse(text));
      expect(verifyWebhook({ headers: sent, body: text }, [own]).id).toBe(id);
    }),
  );
});

describe('a signature is refused', () => {
  const faults: [string, Record<string, string | undefined>, string][] = [
    ['without an id', { 'webhook-id': undefined }, 'missing'],
    ['without a signature', { 'webhook-signature': undefined }, 'missing'],
    ['with a full stop in the id', { 'webhook-id': 'a.b' }, 'malformed'],
    ['with letters after the timestamp', { 'webhook-timestamp': `${timestamp}abc` }, 'malformed'],
    ['with a fraction of a second', { 'webhook-timestamp': `${timestamp}.9` }, 'malformed'],
    ['with a space before the timestamp', { 'webhook-timestamp': ` ${timestamp}` }, 'malformed'],
    ['when it is too old', { 'webhook-timestamp': String(timestamp - 301) }, 'stale'],
    ['when it is too new', { 'webhook-timestamp': String(timestamp + 301) }, 'stale'],
    ['when it is cut', { 'webhook-signature': signature.slice(0, -5) }, 'mismatch'],
    ['when it is empty', { 'webhook-signature': 'v1,' }, 'mismatch'],
    [
      'when its scheme is another',
      { 'webhook-signature': signature.replace('v1', 'v2') },
      'mismatch',
    ],
    [
      'when there are too many',
      { 'webhook-signature': `${'v1,aaaa '.repeat(40)}${signature}` },
      'malformed',
    ],
    [
      'when the header is very long',
      { 'webhook-signature': `${signature} v1,${'a'.repeat(5000)}` },
      'malformed',
    ],
  ];
  test.each(faults)('%s', (_, changed, reason) => {
    const verify = createWebhookVerifier([secret], { clock });
    const error = faultOf(() => verify({ headers: { ...headers, ...changed }, body }));
    expect(error).toEqual(['webhooks.invalid_signature', reason]);
  });
  test('when any byte of the body is another, or the secret is', () => {
    const bytes = Buffer.from(body);
    const verify = createWebhookVerifier([secret], { clock });
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] as number) ^ by;
        expect(faultOf(() => verify({ headers, body: changed }))[1]).toBe('mismatch');
      }),
    );
    const other = createWebhookVerifier([createWebhookSecret('v1').verifier], { clock });
    expect(faultOf(() => other({ headers, body }))[1]).toBe('mismatch');
  });
  test('when a header came twice', () => {
    const verify = createWebhookVerifier([secret], { clock });
    const twice = { ...headers, 'webhook-id': [id, id] };
    expect(faultOf(() => verify({ headers: twice, body }))[1]).toBe('missing');
  });
});

test('a prepared key gives the HMAC that createHmac gives', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.uint8Array(),
      fc.string(),
      (key, bytes, text) => {
        const mac = prepareHmacSha256(key);
        for (const content of [bytes, text])
          expect(mac(content).toString('hex')).toBe(
            createHmac('sha256', key).update(content).digest('hex'),
          );
      },
    ),
  );
});

test('any bytes are a body, valid UTF-8 or not', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      for (const scheme of ['v1', 'v1a'] as const) {
        const made = createWebhookSecret(scheme);
        const signed = createWebhookSigner([made.secret]).sign({ id, timestamp, body: bytes });
        const sent = { ...headers, 'webhook-signature': signed };
        const verify = createWebhookVerifier([made.verifier], { clock });
        expect(verify({ headers: sent, body: bytes }).id).toBe(id);
      }
    }),
    { numRuns: 30 },
  );
});

test('a key pair signs with v1a, and its public key verifies nothing else', () => {
  const [one, other] = [createWebhookSecret('v1a'), createWebhookSecret('v1a')];
  expect([one.secret, one.verifier]).toEqual([
    expect.stringMatching(/^whsk_/),
    expect.stringMatching(/^whpk_/),
  ]);
  const signed = createWebhookSigner([one.secret]).sign({ id, timestamp, body });
  expect(signed).toMatch(/^v1a,[A-Za-z0-9+/]{86}==$/);
  const sent = { ...headers, 'webhook-signature': signed };
  expect(createWebhookVerifier([one.verifier], { clock })({ headers: sent, body }).id).toBe(id);
  const wrong = createWebhookVerifier([other.verifier], { clock });
  expect(faultOf(() => wrong({ headers: sent, body }))[1]).toBe('mismatch');
});

test.each(['', 'whsec_', 'whsec_c2hvcnQ=', 'secret', 'whpk_AAAA', 'whsec_%%%%'])(
  'the secret %j is refused before it is used',
  (bad) => {
    expect(() => createWebhookVerifier([bad])).toThrow(TypeError);
    expect(() => createWebhookSigner([bad])).toThrow(TypeError);
  },
);

test('no list of secrets is empty', () => {
  for (const make of [createWebhookVerifier, stripeVerifier, githubVerifier, bodyVerifier])
    expect(() => make([])).toThrow(TypeError);
  expect(() => githubVerifier([''])).toThrow(TypeError);
});

describe('other styles', () => {
  const hex = (text: string) => createHmac('sha256', 'topsecret').update(text).digest('hex');

  test("Stripe's is verified, by any of its signatures, and not when it is old", () => {
    const verify = stripeVerifier(['other', 'topsecret'], { clock });
    const signed = hex(`${timestamp}.${body}`);
    const value = `t=${timestamp},v1=${'0'.repeat(64)},v1=${signed},v0=x`;
    expect(verify({ headers: { 'Stripe-Signature': value }, body }).sentAt).toEqual(clock.now());
    for (const [bad, reason] of [
      [`t=${timestamp - 400},v1=${hex(`${timestamp - 400}.${body}`)}`, 'stale'],
      [`t=${timestamp},t=${timestamp},v1=${signed}`, 'malformed'],
      [`t=${timestamp},v1=${signed.slice(2)}`, 'mismatch'],
      [`v1=${signed}`, 'malformed'],
    ] as const)
      expect(faultOf(() => verify({ headers: { 'stripe-signature': bad }, body }))[1]).toBe(reason);
  });

  test("GitHub's is verified, and its id is of what is signed", () => {
    const verify = githubVerifier(['topsecret']);
    const sent = { 'X-Hub-Signature-256': `sha256=${hex(body)}`, 'X-GitHub-Delivery': 'a' };
    const first = verify({ headers: sent, body });
    expect(verify({ headers: { ...sent, 'X-GitHub-Delivery': 'b' }, body }).id).toBe(first.id);
    expect(first.sentAt).toBeNull();
    const bare = { 'X-Hub-Signature-256': hex(body) };
    expect(faultOf(() => verify({ headers: bare, body }))[1]).toBe('malformed');
    expect(faultOf(() => verify({ headers: sent, body: `${body} ` }))[1]).toBe('mismatch');
  });

  test('a bare X-Signature is verified', () => {
    const verify = bodyVerifier(['topsecret']);
    expect(verify({ headers: { 'X-Signature': hex(body) }, body }).id).toMatch(/^[0-9a-f]{64}$/);
    expect(faultOf(() => verify({ headers: {}, body }))[1]).toBe('missing');
  });
});
