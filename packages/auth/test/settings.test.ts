import { InvalidSettings, parseSettings } from '@svc/core';
import type { Db } from '@svc/db';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { authSettings, createAuth } from '../src/index.ts';

const parse = (environment: Record<string, string>) =>
  parseSettings(v.object(authSettings), {
    AUTH_ENCRYPTION_KEYS: `k1:${'x'.repeat(32)}`,
    ...environment,
  });

describe('settings and options', () => {
  test('without a variable the defaults hold', () => {
    expect(parse({})).toEqual({
      authSessionIdle: '14d',
      authSessionAbsolute: '90d',
      authSessionCache: '0s',
      authAccessTtl: '10m',
      authPasswordMinLength: 15,
      authEncryptionKeys: [{ id: 'k1', secret: 'x'.repeat(32) }],
      authBreachListUrl: undefined,
      authBreachListUnreachable: 'accept',
      authLockout: true,
      authLockoutFree: 10,
      authLockoutPairFree: 5,
      authLockoutAddressFree: 50,
      authLockoutFirstWait: '30s',
      authLockoutMaxWait: '15m',
      authLockoutAnswer: 'same',
      authTrustDevices: '30d',
    });
  });

  test('every bad variable is named, without its value', () => {
    const bad = () => parse({ AUTH_SESSION_IDLE: 'a fortnight', AUTH_PASSWORD_MIN_LENGTH: '4' });
    expect(bad).toThrow(InvalidSettings);
    expect(bad).toThrow(/AUTH_SESSION_IDLE[^]*AUTH_PASSWORD_MIN_LENGTH/);
    expect(bad).not.toThrow(/fortnight/);
    expect(() => parse({ AUTH_SESSION_CACHE: '2s' })).toThrow(/AUTH_SESSION_CACHE/);
    expect(() => parse({ AUTH_ACCESS_TTL: '10s' })).toThrow(/AUTH_ACCESS_TTL/);
  });

  test.each([
    ['publicUrl', { publicUrl: 'app.example.com' }],
    ['publicUrl', { publicUrl: 'javascript:alert(1)' }],
    ['publicUrl', { publicUrl: 'https://app.example.com/?a=b' }],
    ['sessions.idle', { sessions: { idle: '2d' as const, absolute: '1d' as const } }],
    ['sessions.cache.maxAge', { sessions: { cache: { maxAge: '2s' as const } } }],
    ['sessions.cache.size', { sessions: { cache: { size: 0 } } }],
    ['refresh.accessTtl', { refresh: { accessTtl: '10s' as const } }],
    ['cipher', { refresh: {} }],
    ['passwords.minLength', { passwords: { minLength: 4 } }],
    [
      'passwords.whenBreachListUnreachable',
      { passwords: { whenBreachListUnreachable: 'shrug' as 'accept' } },
    ],
    ['hashing.maxRunning', { hashing: { maxRunning: 0 } }],
  ])('an unusable %s is a TypeError', (option, options) => {
    const base = {
      db: {} as Db,
      sendMail: async () => {},
      publicUrl: 'https://app.example.com',
      appName: 'Projects',
    };
    expect(() => createAuth({ ...base, ...options })).toThrow(TypeError);
    expect(() => createAuth({ ...base, ...options })).toThrow(option);
  });
});
