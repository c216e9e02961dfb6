export { type CliOptions, runCli, type TextOutput } from './cli.ts';
export {
  type DatabaseTarget,
  defineConfig,
  type JobsTarget,
  type ListedJob,
  type SvcConfig,
  type TenantFinding,
  type TenantsTarget,
} from './config.ts';
