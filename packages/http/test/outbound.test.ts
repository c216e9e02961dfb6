import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { runtimes, shownRuntimes } from './start-program.ts';

const program = join(import.meta.dirname, 'programs/outbound.ts');

const timedOut = 'http.upstream_timeout';
const unreachable = 'http.upstream_unreachable';
const tooLarge = 'http.upstream_too_large';
const refused = (reason: string) => `http.outbound_refused ${reason}`;

describe.each(shownRuntimes)('a guarded call on %s', (runtime) => {
  let results: Record<string, unknown>;
  beforeAll(async () => {
    const args = ['--conditions=@svc/source', program];
    const { stdout } = await promisify(execFile)(runtimes[runtime], args, { timeout: 50_000 });
    results = JSON.parse(stdout) as Record<string, unknown>;
  });

  it('judges every URL of the table as it should', () =>
    expect(results['urlsThatAreJudgedWrongly']).toEqual([]));

  it('goes to the checked address and still proves the name', () =>
    expect(results['tlsIsPinnedAndNamed']).toEqual({
      named: '200 hooks.example.com:PORT hooks.example.com',
      otherName: unreachable,
      asked: ['hooks.example.com', 'other.example.com'],
    }));

  it('is refused when any address of the name is not public, before a byte is sent', () =>
    expect(results['rebindingIsRefused']).toEqual({
      results: [refused('address'), refused('address'), refused('address'), unreachable],
      connections: 0,
    }));

  it('takes no connection that was made for the name when it was elsewhere', () =>
    expect(results['aNameThatMovesGetsNoOldConnection']).toEqual([
      '200 first',
      '200 first',
      '200 second',
      1,
    ]));

  it('tries the next address where one does not answer', () =>
    expect(results['theNextAddressIsTried']).toBe('200 here'));

  it('keeps one connection for calls in a row', () =>
    expect(results['connectionsAreKept']).toBe(1));

  it('follows redirects only where told, checks each, and leaves credentials behind', () =>
    expect(results['redirects']).toEqual({
      refused: refused('redirect'),
      manual: '307 moved',
      kept: '200 POST none host',
      see: '200 GET none host',
      loop: refused('redirect'),
      private: refused('scheme'),
      error: refused('redirect'),
      secretReached: 0,
    }));

  it('reads so many bytes and no more, also of what is packed', () =>
    expect(results['sizes']).toEqual({
      plain: tooLarge,
      chunked: tooLarge,
      gzip: tooLarge,
      br: tooLarge,
      small: '200 small',
      broken: unreachable,
      'cut plain': '200 aaaaa',
      'cut chunked': '200 aaaaa',
      'cut gzip': '200 aaaaa',
    }));

  it('ends in time whatever is slow: the handshake, the answer, its head or its body', () =>
    expect(results['times']).toEqual({
      results: [unreachable, timedOut, timedOut, timedOut],
      inTime: true,
    }));

  it('ends when its signal is aborted, with the reason', () =>
    expect(results['aborting']).toEqual(['RangeError', 'RangeError']));

  it('gives up at the deadline of the request that it is made for', () =>
    expect(results['deadlines']).toEqual([timedOut, timedOut, 1]));

  it('takes nothing for an answer that is none', () =>
    expect(new Set(Object.values(results['nonsense'] as object))).toEqual(new Set([unreachable])));

  it('lets nobody smuggle a request through its headers or method', () =>
    expect(results['injection']).toEqual({
      results: Array.from({ length: 8 }, () => 'TypeError'),
      connections: 0,
    }));

  it('sends the body and its type, the request id and the trace', () => {
    const told = ['request-1', '00-a-b-01'];
    const agent = 'projects/1 (request request-1)';
    const form = 'application/x-www-form-urlencoded;charset=UTF-8';
    expect(results['whatIsSent']).toEqual({
      lines: [
        ['GET', agent, ...told, null, null, ''],
        ['POST', agent, ...told, 'text/plain;charset=UTF-8', '4', 'text'],
        ['PUT', 'mine (request request-1)', ...told, form, '5', 'a=b+c'],
        ['POST', agent, ...told, 'a/b', '4', 'blob'],
      ],
      cookies: ['a=1', 'b=2'],
      url: '/x?y',
    });
  });
});
