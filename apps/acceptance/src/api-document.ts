import { sessionCookieName } from '@svc/auth/hono';
import { HandlerTimeout } from '@svc/http';
import type { ApiDoctorOptions, OpenApiOptions } from '@svc/http/hono';

/** What the OpenAPI document says of the app as a whole. */
export function documentOptions(publicUrl: string) {
  return {
    info: {
      title: 'Projects',
      version: '0.1.0',
      description: 'A small product that shows svc at work.',
      contact: { name: 'svc', url: publicUrl },
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    servers: [{ url: publicUrl, description: 'This app' }],
    securitySchemes: {
      session: { type: 'apiKey', in: 'cookie', name: sessionCookieName },
      bearer: { type: 'http', scheme: 'bearer' },
    },
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    failures: [HandlerTimeout],
    typeBase: `${publicUrl}/errors`,
  } satisfies OpenApiOptions;
}

const tags = {
  Probes: 'For balancers and orchestrators.',
  Service: 'About the service itself.',
  'Sign-in': 'Registering, signing in and out.',
  Account: 'What somebody may change about their own account.',
  Sessions: 'Where somebody is signed in.',
  'API keys': 'Credentials for programs.',
  'Second factors': 'Authenticator apps and recovery codes.',
  Devices: 'Browsers that need no second factor.',
  Passkeys: 'Signing in without a password.',
  'Sign-in at providers': 'Signing in with an account elsewhere.',
  Tokens: 'The keys by which others check our tokens.',
  Tenants: 'Who shares what: each tenant sees only its own.',
  Members: 'The people of a tenant and their roles.',
  Invitations: 'How people become members.',
  Projects: 'What the product is about.',
  Webhooks: 'Telling other services what has happened.',
  Administration: 'For the staff of the product.',
  Jobs: 'Work in the background, for the staff.',
  'Audit log': 'Who did what, for the staff.',
};

const signsIn = 'Who signs in or registers has no credentials yet; limits and lockout hold it.';
const mailed = 'The token from the mail is what proves who asks.';
const challenged = 'The challenge of a sign-in that has begun is what proves who asks.';
const showsSecret =
  'Its answer shows a secret once: it is not kept to be repeated. A second one is seen in the list and revoked.';
const configured = 'As many as the app is configured with.';

/** What the API doctor is told to let pass, and why. */
export const allowances: NonNullable<ApiDoctorOptions['allow']> = {
  unguarded_mutation: {
    register: signsIn,
    verify: mailed,
    resendVerification: signsIn,
    login: signsIn,
    logout: 'It ends the session that it carries; who carries none has nothing to end.',
    forgotPassword: signsIn,
    resetPassword: mailed,
    confirmEmail: mailed,
    refresh: 'The refresh token in the body is what proves who asks.',
    answerChallenge: challenged,
    passkeyLoginOptions: signsIn,
    passkeyLogin: signsIn,
    passkeyChallengeOptions: challenged,
    answerChallengeByPasskey: challenged,
    startOAuth: signsIn,
    postOAuthCallback: 'The provider has the browser send it; the state proves who began.',
  },
  unrepeatable_creation: {
    createApiKey: showsSecret,
    rotateApiKey: showsSecret,
    createWebhookEndpoint: showsSecret,
    createTenant: 'Its owner sees it at once and can delete it; how many one may make is limited.',
    inviteMember: 'A second invitation of the same address takes the place of the first.',
  },
  unbounded_list: {
    live: configured,
    ready: configured,
    started: configured,
    oauthProviders: configured,
    listWebhookEventTypes: configured,
    listIdentities: 'One for each provider that is configured.',
    getWebhookDelivery: 'One for each try, of which WEBHOOKS_RETRY_WAITS allows so many.',
    listInvitations: 'Only open ones, which end after days and are made at a limited rate.',
    jobsStatus: 'One for each task and table that the app has.',
    verifyAuditLog: 'One for each log that was asked for; problems end at the first hundred.',
    verifyTenantLog: 'The one log of the tenant; problems end at the first hundred.',
  },
  undocumented_failure: {
    unblockCaller: 'Who is not held back may be let in as well: it answers the same twice.',
  },
};
