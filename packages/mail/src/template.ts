import type { Html } from './html.ts';

/** What a mail says. */
export interface MailContent {
  /** One line. */
  readonly subject: string;
  /** The mail as plain text; never empty. */
  readonly text: string;
  /** The same as markup, for those who show it. */
  readonly html?: Html;
}

/** A mail to be filled in with `Data`. */
export interface Template<Data> {
  readonly name: string;
  render(data: Data): MailContent;
}

export interface TemplateOptions<Data> {
  /** `package.snake_case`: what logs and events call it. */
  name: string;
  subject: string | ((data: Data) => string);
  text: (data: Data) => string;
  /** @default none: the mail is plain text */
  html?: (data: Data) => Html;
}

/** Declares a mail: `defineTemplate<{ link: string }>({ name: 'app.verify', subject: 'Verify', text: ({ link }) => link })`. */
export function defineTemplate<Data>({
  name,
  subject,
  text,
  html,
}: TemplateOptions<Data>): Template<Data> {
  if (!/^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*$/.test(name)) {
    throw new TypeError('the name of a template is words of a-z, 0-9 and _, joined by dots');
  }
  return {
    name,
    render: (data) => ({
      subject: typeof subject === 'string' ? subject : subject(data),
      text: text(data),
      ...(html === undefined ? {} : { html: html(data) }),
    }),
  };
}
