import { createHash } from 'node:crypto';
import { generateSync } from 'otplib';
import { contractTest, type SkippedPromise } from '@svc/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AuthMail, SendMail } from './mails.ts';
import type { SignedIn, SignIn } from './sign-in.ts';
import type { BreachList } from './passwords/breaches.ts';
import type { HashingOptions } from './passwords/password-hasher.ts';

export {
  type CeremonyClaims,
  softwareAuthenticator,
  type SoftwareAuthenticator,
  type SoftwareAuthenticatorOptions,
  type SoftwareCredential,
} from './testing/software-authenticator.ts';

/** argon2id at a cost that only tests may use. */
export const fastHashing: HashingOptions = { memoryKib: 64, iterations: 1 };

/** A mailbox for all mails of one `createAuth`. */
export interface RecordingOutbox {
  /** To be given to `createAuth`. */
  readonly sendMail: SendMail;
  /** All mails, oldest first. */
  readonly mails: readonly AuthMail[];
  /** The oldest mail of this kind to this address that was not taken yet; waits for it. */
  next<Template extends AuthMail['template']>(
    template: Template,
    to: string,
  ): Promise<Extract<AuthMail, { template: Template }>>;
  /** The token in the link of the mail that `next` answers. */
  nextToken(template: 'verify' | 'reset_password' | 'confirm_email', to: string): Promise<string>;
}

export function recordingOutbox(): RecordingOutbox {
  const mails: AuthMail[] = [];
  const taken = new Set<AuthMail>();
  let waiting: (() => void)[] = [];
  const next: RecordingOutbox['next'] = async (template, to) => {
    for (;;) {
      const mail = mails.find(
        (each) => each.template === template && each.to === to && !taken.has(each),
      );
      if (mail !== undefined) {
        taken.add(mail);
        return mail as Extract<AuthMail, { template: typeof template }>;
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  return {
    async sendMail(mail) {
      mails.push(mail);
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
    mails,
    next,
    nextToken: async (template, to) => tokenIn((await next(template, to)).data.link),
  };
}

/** The token that a mailed link carries. @throws {TypeError} when it carries none. */
export function tokenIn(link: string): string {
  const token = new URL(link).searchParams.get('token');
  if (token === null) throw new TypeError('the link carries no token');
  return token;
}

/** A sign-in that needed no second factor. @throws {TypeError} when it did. */
export function signedIn(signIn: SignIn): SignedIn {
  if (signIn.status !== 'signed_in') throw new TypeError('a second factor is asked for');
  return signIn;
}

/** What an authenticator app shows for a base32 secret at this moment. */
export function totpCode(secret: string, at: Date): string {
  return generateSync({ secret, epoch: Math.floor(at.getTime() / 1000) });
}

/** A breach list in the hands of a test. */
export interface BreachListHarness {
  list: BreachList;
  /** From here on the list cannot tell: its server is down, its file is gone. */
  breakDown(): void | Promise<void>;
  close?(): void | Promise<void>;
}

export interface DescribeBreachListOptions {
  /** Promises that this list does not make, and why. @default none */
  skip?: readonly SkippedPromise[];
}

/** The promises of `BreachList`, as tests; `open` makes a list that holds these passwords and no others. */
export function describeBreachList(
  name: string,
  open: (listed: readonly string[]) => BreachListHarness | Promise<BreachListHarness>,
  { skip = [] }: DescribeBreachListOptions = {},
): void {
  describe(`${name} as a breach list`, () => {
    const listed = ['correct horse battery staple', 'caf\u00e9 au lait, s\u2019il vous pla\u00eet'];
    let harness: BreachListHarness;
    beforeEach(async () => {
      harness = await open(listed);
    });
    afterEach(() => harness.close?.());

    const promise = contractTest(test, skip);

    promise('knows the passwords that it holds, and no others', async () => {
      for (const password of listed) expect(await harness.list.isBreached(password)).toBe(true);
      for (const password of ['correct horse battery stapl', 'Correct horse battery staple', ''])
        expect(await harness.list.isBreached(password)).toBe(false);
    });

    promise('answers many at once, each for itself', async () => {
      const asked = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? listed[0] : 'no'));
      const answers = await Promise.all(asked.map((each) => harness.list.isBreached(each ?? '')));
      expect(answers).toEqual(asked.map((each) => each === listed[0]));
    });

    promise('throws when it cannot tell, and tells nothing of the password', async () => {
      await harness.breakDown();
      const password = listed[0] as string;
      const error = await harness.list.isBreached(password).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(Error);
      const said = `${String(error)} ${JSON.stringify(error)}`.toLowerCase();
      expect(said).not.toContain(password);
      for (const algorithm of ['sha1', 'sha256', 'md5']) {
        const digest = createHash(algorithm).update(password).digest('hex');
        // Five characters are what a range is asked by.
        expect(said).not.toContain(digest.slice(0, 5));
      }
    });
  });
}
