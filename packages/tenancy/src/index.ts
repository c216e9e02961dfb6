export { QuotaExceeded } from './failures.ts';
export {
  isolateByTenant,
  type IsolateOptions,
  type TenantIdType,
} from './isolation/isolate-by-tenant.ts';
