#!/usr/bin/env node
import { runCli } from './cli.ts';
import { readEnvironment } from './settings.ts';

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: readEnvironment(),
  folder: process.cwd(),
});
