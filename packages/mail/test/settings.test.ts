import { type InvalidSettings, parseSettings } from '@svc/core';
import { mailSettings } from '@svc/mail';
import * as v from 'valibot';
import { expect, test } from 'vitest';

const schema = v.object(mailSettings);

test('without settings mail is printed, from a sender that works on one machine', () => {
  expect(parseSettings(schema, {})).toEqual({ mailFrom: { address: 'no-reply@localhost' } });
});

test('the server and the sender are read', () => {
  const environment = {
    SMTP_URL: 'smtps://u:p@mail.example.com',
    MAIL_FROM: 'The app <app@example.com>',
  };
  expect(parseSettings(schema, environment)).toEqual({
    smtpUrl: 'smtps://u:p@mail.example.com',
    mailFrom: { address: 'app@example.com', name: 'The app' },
  });
});

test('in production both must be set, and what is wrong is listed without its value', () => {
  const issuesOf = (environment: Record<string, string>) => {
    try {
      parseSettings(schema, environment);
    } catch (error) {
      return error as InvalidSettings;
    }
    throw new Error('the settings were accepted');
  };
  expect(
    issuesOf({ APP_ENV: 'production' }).issues.map(
      ({ variable, problem }) => `${variable} ${problem}`,
    ),
  ).toEqual(['SMTP_URL missing', 'MAIL_FROM missing']);
  const wrong = issuesOf({ SMTP_URL: 'http://hunter2@example.com', MAIL_FROM: 'hunter2, hunter3' });
  expect(wrong.issues.map(({ variable }) => variable)).toEqual(['SMTP_URL', 'MAIL_FROM']);
  expect(wrong.message).not.toContain('hunter');
});
