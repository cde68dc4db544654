/** What is being said to a question: the options that were chosen, and words beside them. */
export interface Draft {
  readonly chosen: readonly string[]
  readonly words: string
}

export const NO_DRAFT: Draft = { chosen: [], words: '' }

/** The draft after an option was pressed; where one only may be chosen, it takes the place of another. */
export const choose = ({ chosen, words }: Draft, option: string, isMulti: boolean): Draft => {
  const without = chosen.filter((one) => one !== option)
  if (!isMulti) return { chosen: [option], words }
  return { chosen: without.length < chosen.length ? without : [...chosen, option], words }
}

/** The answer that the asker gets; empty: there is none yet. As on the command line, several are parted by commas. */
export const answerText = ({ chosen, words }: Draft, options: readonly string[]): string =>
  [...options.filter((option) => chosen.includes(option)), words.trim()].filter(Boolean).join(', ')
