// A registered symbol cannot come out of JSON, so no data can claim to be markup, and two copies of this package agree.
const markup: unique symbol = Symbol.for('svc.mail.html') as never;

/** Markup that is known to be safe to send. */
export interface Html {
  readonly [markup]: string;
  toString(): string;
}

/** What may be put into a template: text is escaped, markup is not, nothing (`null`, `undefined`, `false`) is left out. */
export type HtmlValue =
  | string
  | number
  | bigint
  | Html
  | false
  | null
  | undefined
  | readonly HtmlValue[];

/**
 * Markup from a template literal. Interpolated text is escaped (OWASP XSS Prevention, rules 1 and 2);
 * an attribute that takes it must be quoted, and a link must be http, https or mailto.
 *
 * @throws {TypeError} on an unquoted attribute, another scheme of a link, or a value of another type.
 */
export function html(literals: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let text = literals[0] as string;
  values.forEach((value, index) => {
    text += interpolate(text, value) + literals[index + 1];
  });
  return rawHtml(text);
}

/** Markup from a text that is trusted as it is. Never give it anything a person typed. */
export function rawHtml(text: string): Html {
  return { [markup]: text, toString: () => text };
}

/** Whether a value is markup made by `html` or `rawHtml`. */
export function isHtml(value: unknown): value is Html {
  return typeof value === 'object' && value !== null && markup in value;
}

const linkAttribute = /[\s"']\s*(?:href|src|action|background|poster)\s*=\s*["']\s*$/i;
const safeLink = /^(?:https?:\/\/|mailto:)/i;

function interpolate(before: string, value: HtmlValue): string {
  if (before.lastIndexOf('<') > before.lastIndexOf('>')) {
    if (/=\s*$/.test(before))
      throw new TypeError('an attribute with an interpolated value must be quoted');
    if (linkAttribute.test(before) && !safeLink.test(String(value))) {
      throw new TypeError('an interpolated link must begin with http://, https:// or mailto:');
    }
  }
  return toMarkup(value);
}

function toMarkup(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return '';
  if (Array.isArray(value)) return value.map(toMarkup).join('');
  if (isHtml(value)) return value[markup];
  if (typeof value === 'string') return escape(value);
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  throw new TypeError('html takes texts, numbers, markup, and lists of these');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

function escape(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => entities[character] as string);
}
