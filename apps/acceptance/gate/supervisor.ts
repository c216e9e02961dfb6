// Holds a stack that `pnpm stack:up` started, until SIGTERM.
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { RuntimeName, StackName } from './arguments.ts';
import { mustRunSvc } from './command-line.ts';
import { startControlServer } from './control-server.ts';
import { bootEnvironment } from './environment.ts';
import { type StackState, stateFile } from './stack.ts';

const [stack, runtime] = process.argv.slice(2) as [StackName, RuntimeName];
const environment = await bootEnvironment({
  stack,
  runtime,
  port: 8000,
  onStep: (step) => console.log(step),
});
const { app, children, settings } = environment;

const control = await startControlServer({
  // A PGlite directory has one owner, so the app steps aside for the command.
  async seed() {
    if (stack === 'embedded') await app.terminate('SIGTERM');
    try {
      await mustRunSvc(children, ['db', 'seed'], settings);
    } finally {
      if (stack === 'embedded') await app.start();
    }
  },
});

const state: StackState = {
  pid: process.pid,
  url: app.url,
  controlUrl: control.url,
  controlToken: control.token,
};
// Whole or not at all: others poll for the file. Readable by its owner only, for the token in it.
writeFileSync(`${stateFile}.new`, JSON.stringify(state), { mode: 0o600 });
renameSync(`${stateFile}.new`, stateFile);
console.log(`up at ${app.url}`);

const stop = async () => {
  control.stop();
  const leftovers = await environment.stop();
  if (leftovers.length > 0) console.error(`left behind: ${leftovers.join(', ')}`);
  rmSync(stateFile, { force: true });
  process.exit(0);
};
process.once('SIGTERM', () => void stop()).once('SIGINT', () => void stop());
