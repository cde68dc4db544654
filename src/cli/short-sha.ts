const DIGITS = 12

/** A commit for people: its first 12 digits. */
export const shortSha = (sha: string): string => sha.slice(0, DIGITS)
