import {
  createMailer,
  defineTemplate,
  html,
  type Html,
  memoryTransport,
  type SentMail,
} from '@svc/mail';
import { expectTypeOf, test } from 'vitest';

const mailer = createMailer({ transport: memoryTransport(), from: 'app@example.com' });
const template = defineTemplate<{ link: string }>({
  name: 'app.verify',
  subject: 'Verify',
  text: ({ link }) => link,
});

test('a template asks for its data, and for nothing else', () => {
  expectTypeOf(
    mailer.send({ to: 'a@example.com', template, data: { link: 'x' } }),
  ).resolves.toEqualTypeOf<SentMail>();
  // @ts-expect-error the link is missing
  void mailer.send({ to: 'a@example.com', template, data: {} });
  // @ts-expect-error the link is a text
  void mailer.send({ to: 'a@example.com', template, data: { link: 1 } });
});

test('a mail has a text, one recipient, and HTML only as markup', () => {
  // @ts-expect-error there is no text
  void mailer.send({ to: 'a@example.com', subject: 's' });
  // @ts-expect-error two recipients
  void mailer.send({ to: ['a@example.com', 'b@example.com'], subject: 's', text: 't' });
  // @ts-expect-error a plain text is not markup
  void mailer.send({ to: 'a@example.com', subject: 's', text: 't', html: '<p>' });
  expectTypeOf(html`<p>${'x'}</p>`).toEqualTypeOf<Html>();
  // @ts-expect-error an object has no place in markup
  void html`${{ a: 1 }}`;
});
