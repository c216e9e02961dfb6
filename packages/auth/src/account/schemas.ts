import * as v from 'valibot';
import { newPassword, personName } from '../schemas.ts';

export const ChangePasswordSchema = v.strictObject({
  currentPassword: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(2048),
      v.description('Left out by those who have no password and choose their first.'),
      v.examples(['seven quiet otters at dawn']),
    ),
  ),
  password: newPassword,
});

export const RenameSchema = v.strictObject({ name: v.nullable(personName) });

export const EmailChangedBody = v.object({ status: v.literal('email_changed') });
