/** What an event type is and which controls its record is evidence for. */
export interface EventType {
  readonly title: string;
  /** Criteria of the AICPA Trust Services Criteria (2017, points of focus 2022). */
  readonly soc2: readonly string[];
  /** Paragraphs of the HIPAA Security Rule (45 CFR part 164). */
  readonly hipaa: readonly string[];
  /** Requirements of PCI DSS 4.0.1. */
  readonly pci: readonly string[];
}

const signIn = {
  soc2: ['CC6.1', 'CC7.2'],
  hipaa: ['164.308(a)(5)(ii)(C)', '164.312(b)', '164.312(d)'],
};
const credential = {
  soc2: ['CC6.1'],
  hipaa: ['164.308(a)(5)(ii)(D)', '164.312(d)'],
  pci: ['10.2.1.5'],
};
const account = {
  soc2: ['CC6.2'],
  hipaa: ['164.308(a)(4)(ii)(C)', '164.312(a)(2)(i)'],
  pci: ['10.2.1.5'],
};
const rights = {
  soc2: ['CC6.3'],
  hipaa: ['164.308(a)(4)(ii)(C)', '164.312(a)(1)'],
  pci: ['10.2.1.5'],
};
const logAccess = { soc2: ['CC7.2'], hipaa: ['164.308(a)(1)(ii)(D)'], pci: ['10.2.1.3'] };
const logItself = { soc2: ['CC7.2'], hipaa: ['164.312(b)', '164.312(c)(1)'], pci: ['10.2.1.6'] };
const privileged = {
  soc2: ['CC6.1', 'CC6.3'],
  hipaa: ['164.308(a)(1)(ii)(D)', '164.312(b)'],
  pci: ['10.2.1.2'],
};
const secrets = { soc2: ['CC6.1'], hipaa: ['164.312(d)'], pci: ['10.2.1.5', '8.6.3'] };

/**
 * The event types that reviews for SOC 2, HIPAA and PCI DSS ask for. An app adds its own: access to its data
 * (`app.record.read`) is PCI DSS 10.2.1.1 and HIPAA 164.312(b), and only the app knows where that happens.
 */
export const eventTypes = {
  'auth.user.registered': { title: 'Somebody registered', ...account },
  'auth.user.verified': { title: 'An address was confirmed', ...account },
  'auth.user.verification_resent': {
    title: 'A new link to confirm an address was made',
    ...account,
  },
  'auth.user.disabled': {
    title: 'An account was disabled',
    ...account,
    hipaa: ['164.308(a)(3)(ii)(C)'],
  },
  'auth.user.enabled': { title: 'An account was enabled again', ...account },
  'auth.user.deleted': {
    title: 'An account was deleted',
    ...account,
    hipaa: ['164.308(a)(3)(ii)(C)'],
  },
  'auth.user.imported': { title: 'An account was imported', ...account },
  'auth.user.renamed': { title: 'A name was changed', ...account },
  'auth.email.change_requested': { title: 'A new address was asked for', ...credential },
  'auth.email.changed': { title: 'An e-mail address was changed', ...credential },
  'auth.login.succeeded': { title: 'Somebody signed in', ...signIn, pci: ['10.2.1.1'] },
  'auth.login.failed': { title: 'A sign-in was refused', ...signIn, pci: ['10.2.1.4'] },
  'auth.login.locked': {
    title: 'Sign-in was locked after failures',
    ...signIn,
    pci: ['10.2.1.4', '8.3.4'],
  },
  'auth.logout': { title: 'Somebody signed out', ...signIn, pci: ['10.2.1.1'] },
  'auth.login.challenged': {
    title: 'A second factor was asked for',
    ...signIn,
    pci: ['10.2.1.1'],
  },
  'auth.session.revoked': { title: 'A session was ended', ...signIn, pci: ['10.2.1.5'] },
  'auth.step_up.succeeded': {
    title: 'A session was raised by another factor',
    ...signIn,
    pci: ['10.2.1.1'],
  },
  'auth.step_up.failed': {
    title: 'Raising a session was refused',
    ...signIn,
    pci: ['10.2.1.4'],
  },
  'auth.session.refreshed': {
    title: 'A session went on under a new token',
    ...signIn,
    pci: ['10.2.1.1'],
  },
  'auth.session.refresh_reused': {
    title: 'A refresh token was used twice',
    ...signIn,
    soc2: ['CC6.1', 'CC7.2', 'CC7.3'],
    pci: ['10.2.1.4'],
  },
  'auth.password.changed': { title: 'A password was changed', ...credential },
  'auth.password.reset_requested': { title: 'A password link was asked for', ...credential },
  'auth.password.reset': { title: 'A password was reset', ...credential },
  'auth.mfa.totp_enrolled': { title: 'An authenticator app was added', ...credential },
  'auth.mfa.totp_removed': { title: 'An authenticator app was removed', ...credential },
  'auth.mfa.failed': { title: 'A second factor was refused', ...signIn, pci: ['10.2.1.4'] },
  'auth.mfa.recovery_codes_made': { title: 'Recovery codes were made', ...credential },
  'auth.mfa.recovery_code_used': {
    title: 'A recovery code was used',
    ...signIn,
    pci: ['10.2.1.5'],
  },
  'auth.passkey.added': { title: 'A passkey was added', ...credential },
  'auth.passkey.removed': { title: 'A passkey was removed', ...credential },
  'auth.passkey.counter_regressed': {
    title: 'A passkey may be a copy',
    ...signIn,
    soc2: ['CC6.1', 'CC7.3'],
    pci: ['10.2.1.4'],
  },
  'auth.device.trusted': { title: 'A device was trusted', ...credential },
  'auth.device.forgotten': { title: 'A known browser was forgotten', ...credential },
  'auth.identity.linked': { title: 'A foreign account was linked', ...credential },
  'auth.identity.unlinked': { title: 'A foreign account was unlinked', ...credential },
  'auth.api_key.created': { title: 'An API key was made', ...secrets },
  'auth.api_key.rotated': { title: 'An API key was exchanged', ...secrets },
  'auth.api_key.revoked': { title: 'An API key was ended', ...secrets },
  'auth.user.roles_changed': {
    title: 'The roles of a user were changed',
    ...rights,
    pci: ['10.2.1.2', '10.2.1.5'],
  },
  'auth.access.denied': {
    title: 'An act was denied',
    soc2: ['CC6.1', 'CC7.2'],
    hipaa: ['164.312(a)(1)', '164.312(b)'],
    pci: ['10.2.1.4'],
  },
  'tenancy.tenant.created': { title: 'A tenant was made', ...account },
  'tenancy.tenant.renamed': { title: 'A tenant was renamed', ...account },
  'tenancy.tenant.suspended': {
    title: 'A tenant was suspended',
    ...account,
    hipaa: ['164.308(a)(3)(ii)(C)'],
  },
  'tenancy.tenant.resumed': { title: 'A suspended tenant was let in again', ...account },
  'tenancy.tenant.deletion_requested': {
    title: 'A tenant was frozen, to be deleted',
    ...account,
    soc2: ['CC6.5'],
  },
  'tenancy.tenant.deletion_cancelled': { title: 'A frozen tenant was let in again', ...account },
  'tenancy.tenant.deleted': {
    title: 'A tenant and all of its rows were deleted',
    ...account,
    soc2: ['CC6.5'],
  },
  'tenancy.tenant.exported': { title: 'All rows of a tenant were exported', ...privileged },
  'tenancy.tenant.imported': { title: 'A tenant was imported', ...privileged },
  'tenancy.tenant.selected': { title: 'Somebody began to work in a tenant', ...rights },
  'tenancy.ownership.transferred': { title: 'A tenant was handed over', ...rights },
  'tenancy.member.role_changed': { title: 'The role of a member was changed', ...rights },
  'tenancy.member.removed': { title: 'A member was removed', ...rights },
  'tenancy.member.left': { title: 'A member left', ...rights },
  'tenancy.invitation.created': { title: 'Somebody was invited to a tenant', ...rights },
  'tenancy.invitation.revoked': { title: 'An invitation was revoked', ...rights },
  'tenancy.invitation.accepted': { title: 'Somebody joined a tenant', ...rights },
  'tenancy.access.denied': {
    title: 'An act on a tenant was denied',
    soc2: ['CC6.1', 'CC7.2'],
    hipaa: ['164.312(a)(1)', '164.312(b)'],
    pci: ['10.2.1.4'],
  },
  'tenancy.system_access': { title: 'The system read the rows of all tenants', ...privileged },
  'admin.impersonation.started': { title: 'Support began to act as a user', ...privileged },
  'admin.impersonation.ended': { title: 'Support stopped acting as a user', ...privileged },
  'audit.sealing.started': { title: 'A process began to seal the log', ...logItself },
  'audit.sealing.stopped': { title: 'A process stopped sealing the log', ...logItself },
  'audit.chain.checkpointed': {
    title: "A chain's end was noted in the service's own chain",
    ...logItself,
  },
  'audit.entries.purged': {
    title: 'Old entries were removed by retention',
    ...logItself,
    hipaa: ['164.316(b)(2)(i)'],
    pci: ['10.2.1.6', '10.5.1'],
  },
  'audit.personal.erased': {
    title: 'Personal values were erased',
    ...logItself,
    soc2: ['P4.3'],
    pci: ['10.2.1.6'],
  },
  'audit.log.searched': { title: 'The log was searched', ...logAccess },
  'audit.log.exported': { title: 'The log was exported', ...logAccess },
  'audit.log.verified': {
    title: 'The log was verified',
    ...logAccess,
    pci: ['10.2.1.3', '10.3.4'],
  },
} as const satisfies Readonly<Record<string, EventType>>;

/** A type that is listed. */
export type KnownEventType = keyof typeof eventTypes;

export type ControlSet = 'soc2' | 'hipaa' | 'pci';

/** The listed event types that are evidence for a control, such as `('pci', '10.2.1.5')`. */
export function eventTypesFor(set: ControlSet, control: string): KnownEventType[] {
  return Object.entries<EventType>(eventTypes).flatMap(([type, known]) =>
    known[set].includes(control) ? [type as KnownEventType] : [],
  );
}
