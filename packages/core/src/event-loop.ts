/** How long the event loop of this thread has been idle and active since it began, in milliseconds; zeros where the runtime does not know (Bun). */
export function eventLoopTimes(): { readonly idleMs: number; readonly activeMs: number } {
  const { idle, active } = performance.eventLoopUtilization();
  return { idleMs: idle, activeMs: active };
}
