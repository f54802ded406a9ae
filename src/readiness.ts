/** Whether somebody should rely on the metrics now, or why not. */
export type Readiness = { readonly ok: true } | { readonly ok: false; readonly reason: string };
