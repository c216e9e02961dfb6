// C0, DEL and C1 controls, line and paragraph separators, and halves of surrogate pairs: whatever
// could end a header line (RFC 5322 section 2.2), cut a C string, or cannot be written as UTF-8.
const forbidden = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;

// Embeddings, overrides and isolates turn the shown order of characters around (Unicode TR 36, section 2.5).
const reordering = /[\u202a-\u202e\u2066-\u2069]/u;

// The beginning of an encoded word (RFC 2047 section 2): a mail program would decode what follows, line ends included.
const encodedWord = '=?';

/** Whether a text may stand in a header: one line, no control characters, nothing that decodes to them. */
export function isHeaderText(text: string): boolean {
  return !forbidden.test(text) && !text.includes(encodedWord);
}

/** Whether a text may stand as a person's name: header text that does not reorder what is shown around it. */
export function isDisplayName(text: string): boolean {
  return isHeaderText(text) && !reordering.test(text);
}
