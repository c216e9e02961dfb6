import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commonPasswordsSource, currentSource, selectPasswords } from '../common-passwords.ts';
import { root } from '../run-tool.ts';

describe('the list of common passwords', () => {
  it('is shipped as the installed package has it', () => {
    const shipped = readFileSync(
      join(root, 'packages/auth/src/passwords/common-passwords.ts'),
      'utf8',
    );
    expect(shipped === currentSource()).toBe(true);
  });

  it('has the passwords in lower case, once, and words but no short numbers', () => {
    expect(
      selectPasswords(['Password1', 'password1', 'monkey', '123456', 'abc', 'a b c d e']),
    ).toEqual(['password1', 'monkey']);
  });

  it('leaves out what would end its literal', () => {
    expect(selectPasswords(['back`ticks', 'dollar${brace', 'dollar$brace'])).toEqual([
      'dollar$brace',
    ]);
    expect(commonPasswordsSource(['dollar$brace'], 'MIT')).toContain('\ndollar$brace\n');
  });
});
