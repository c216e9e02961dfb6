import { html, type HtmlValue, isHtml, rawHtml } from '@svc/mail';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('text is escaped, in content and in quoted attributes', () => {
  expect(String(html`<p title="${`"><script>'\``}">${'<b>&</b>'}</p>`)).toBe(
    '<p title="&quot;&gt;&lt;script&gt;&#39;&#96;">&lt;b&gt;&amp;&lt;/b&gt;</p>',
  );
});

test('markup stays markup, in lists too, numbers are written, and nothing is left out', () => {
  const items = ['<a>', 'b'].map((item) => html`<li>${item}</li>`);
  const values: HtmlValue = [items, rawHtml('<hr>'), 3, 4n, null, undefined, false];
  expect(String(html`${values}`)).toBe('<li>&lt;a&gt;</li><li>b</li><hr>34');
});

test('whatever a person types, no tag, no quote and no entity of theirs comes out', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(String(html`${text}`).replace(/&(?:amp|lt|gt|quot|#39|#96);/g, '')).not.toMatch(
        /[&<>"'`]/,
      );
    }),
  );
});

test('data that looks like markup is not markup', () => {
  const forged = JSON.parse(
    '{"svc.mail.html":"<script>","Symbol(svc.mail.html)":"<script>"}',
  ) as never;
  expect(isHtml(forged)).toBe(false);
  expect(() => html`${forged}`).toThrow(TypeError);
});

test('an interpolated value in an attribute without quotes is refused', () => {
  expect(() => html`<p class=${'x onclick=alert(1)'}>`).toThrow('must be quoted');
  expect(String(html`<p>a = ${'b'}</p>`)).toBe('<p>a = b</p>');
});

test.each([
  'javascript:alert(1)',
  ' javascript:alert(1)',
  'JAVASCRIPT:alert(1)',
  'data:text/html,x',
  '//example.com',
  'java\nscript:x',
])('a link to %j is refused', (link) => {
  expect(() => html`<a href="${link}">x</a>`).toThrow('must begin with');
  expect(() => html`<a class="x" HREF="${link}">x</a>`).toThrow('must begin with');
});
