/** From which severity on lines are written, the least severe first. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
/** How lines are written. */
export const LOG_FORMATS = ['logfmt', 'json'] as const;
