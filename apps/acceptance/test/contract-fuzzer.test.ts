import { expect, test } from 'vitest';
import { fuzz, type FuzzResult } from '../contract/fuzz.ts';
import { contractTestApp, type PlantedFault } from './contract-test-app.ts';

const bearer = { known: 'Bearer secret', 'made up': 'Bearer made-up', nobody: undefined };

async function fuzzTestApp(fault?: PlantedFault, seed = 42): Promise<FuzzResult> {
  const { app, document } = await contractTestApp(fault);
  return fuzz({
    document,
    seed,
    requests: 250,
    maxResponseMs: fault === 'is slow' ? 50 : 5000,
    baseUrl: 'http://localhost',
    send: async ({ sender }, { target, ...init }) => {
      const headers = new Headers(init.headers);
      if (bearer[sender] !== undefined) headers.set('authorization', bearer[sender]);
      return app.request(target, { ...init, headers });
    },
  });
}

test('an app that keeps to its document has no finding, and everything of it is reached', async () => {
  const { findings, requests, reached } = await fuzzTestApp();
  expect(findings).toEqual([]);
  expect(requests).toBeGreaterThan(200);
  expect([...reached.keys()].toSorted()).toEqual(['createThing', 'deleteThing', 'getThing']);
});

const planted: Record<PlantedFault, string> = {
  'crashes on a long name': 'createThing not_a_server_error',
  'crashes on an unusual letter': 'createThing not_a_server_error',
  'answers an undocumented status': 'createThing status_code_conformance',
  'answers an undocumented problem': 'createThing response_schema_conformance',
  'answers another content type': 'createThing content_type_conformance',
  'answers without a required field': 'createThing response_schema_conformance',
  'answers a number as a text': 'createThing response_schema_conformance',
  'answers an unbounded rest': 'createThing response_schema_conformance',
  'repeats what was sent': 'createThing echo',
  'tells the message of an exception': 'createThing problem_conformance',
  'tells its SQL': 'createThing problem_conformance',
  'accepts what it should refuse': 'createThing negative_data_rejection',
  'accepts an unknown field': 'createThing negative_data_rejection',
  'accepts an id that is none': 'getThing negative_data_rejection',
  'refuses what it should accept': 'createThing positive_data_acceptance',
  'lets everybody in': 'createThing ignored_auth',
  'lets in made-up credentials': 'createThing ignored_auth',
  'says no challenge': 'createThing response_headers_conformance',
  'takes every method': 'createThing unsupported_method',
  'leaves a method out of Allow': 'getThing allow_header',
  'shows what was deleted': 'getThing use_after_delete',
  'forgets what was made': 'getThing resource_availability',
  'takes any content type': 'createThing unsupported_content_type',
  'is slow': 'createThing max_response_time',
};

test.each(Object.entries(planted) as [PlantedFault, string][])(
  'an app that %s is found out',
  async (fault, finding) => {
    const { findings } = await fuzzTestApp(fault);
    const found = findings.map(({ operation, check }) => `${operation} ${check}`);
    expect(found).toContain(finding);
    expect(findings.every(({ curl }) => curl.startsWith('curl -i -X '))).toBe(true);
  },
);

test('a finding is the least request that shows it, as a line for a shell', async () => {
  const { findings } = await fuzzTestApp('crashes on a long name');
  const { curl = '' } = findings.find(({ check }) => check === 'not_a_server_error') ?? {};
  const { name, size } = JSON.parse(/--data-raw '(.*)'$/.exec(curl)?.[1] ?? '') as {
    name: string;
    size: number;
  };
  expect([name.length <= 100, size]).toEqual([true, 0]);
  expect(curl).toContain('-H "authorization: Bearer $TOKEN"');
});

test('the same seed sends the same requests', async () => {
  const [one, two] = await Promise.all([
    fuzzTestApp('accepts what it should refuse', 7),
    fuzzTestApp('accepts what it should refuse', 7),
  ]);
  // The ids in the others are the app's.
  const ofCreation = ({ findings }: FuzzResult) =>
    findings.filter(({ operation }) => operation === 'createThing').map(({ curl }) => curl);
  expect(ofCreation(one).length).toBeGreaterThan(0);
  expect(ofCreation(one)).toEqual(ofCreation(two));
  expect(one.requests).toBe(two.requests);
});
