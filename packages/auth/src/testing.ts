import { generateSync } from 'otplib';
import type { AuthMail, SendMail } from './mails.ts';
import type { SignedIn, SignIn } from './sign-in.ts';
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
