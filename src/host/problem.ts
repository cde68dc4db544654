/** Something that does not work, and is tried again: shown in `hive status` until it does. */
export interface Problem {
  readonly where: string
  readonly problem: string
  /** Unix milliseconds. */
  readonly since: number
}
