#!/usr/bin/env node
import { runCli } from './cli.ts';

const { stdout, stderr } = process;
// Whoever reads the data may leave: `svc tenants export … | head`.
stdout.on('error', () => process.exit(1));
const exitCode = await runCli(process.argv.slice(2), { stdout, stderr, cwd: process.cwd() });
// A config may have opened things that keep the process alive; what was written still goes out first.
stdout.write('', () => stderr.write('', () => process.exit(exitCode)));
