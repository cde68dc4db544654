import type { ReactNode } from 'react'
import type { Spent } from '../../wire/money.ts'
import { dollarsText, tokensText } from '../ui/figures.ts'
import { Scroll } from '../ui/scroll.tsx'

/** Heads of the cells of `FigureCells`. */
export const FIGURES = ['in', 'out', 'cached', 'cost'] as const

export const FigureCells = ({ of }: { of: Omit<Spent, 'turns'> }) => (
  <>
    <td className="text-right">{tokensText(of.inputTokens)}</td>
    <td className="text-right">{tokensText(of.outputTokens)}</td>
    <td className="text-right">{tokensText(of.cacheReadTokens + of.cacheWriteTokens)}</td>
    <td className="text-right">{dollarsText(of.dollars)}</td>
  </>
)

/** A table whose first `names` columns are words; the others are figures. */
export const FiguresTable = ({
  caption,
  heads,
  names,
  children,
}: {
  caption: string
  heads: readonly string[]
  names: number
  children: ReactNode
}) => (
  <Scroll label={caption} className="shrink-0 overflow-x-auto border-b border-line px-3 py-2">
    <table className="w-full text-xs [&_td]:px-1.5 [&_td]:py-0.5 [&_th]:px-1.5">
      <caption className="pb-1 text-left text-dim">{caption}</caption>
      <thead>
        <tr>
          {heads.map((head, index) => (
            <th key={head} scope="col" className={index < names ? 'text-left text-faint' : 'text-right text-faint'}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </Scroll>
)
