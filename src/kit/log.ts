import { type Logger as PinoLogger, pino } from 'pino'

export type Log = PinoLogger

/** JSON lines on stderr: constant message, fields beside it. */
export const createLog = (level: string): Log =>
  pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ fd: 2, sync: true }))
