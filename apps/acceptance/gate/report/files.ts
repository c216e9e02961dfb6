import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reportsFolder } from '../places.ts';
import type { GateResult } from '../result.ts';
import { toHtml } from './html.ts';
import { toJunit } from './junit.ts';

/** Writes JUnit, JSON and one HTML page of a run into `reports/`, and answers the path of the page. */
export function writeReports(result: GateResult): string {
  mkdirSync(reportsFolder, { recursive: true });
  const name =
    result.runtime === 'deployed' ? 'gate-deployed' : `gate-${result.stack}-${result.runtime}`;
  // A part of the matrix must not pass for the whole of it.
  const whole = result.partial ? `${name}-partial` : name;
  const path = (ending: string) => join(reportsFolder, `${whole}.${ending}`);
  writeFileSync(path('json'), `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(path('xml'), toJunit(result));
  writeFileSync(path('html'), toHtml(result));
  return path('html');
}
