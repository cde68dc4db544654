import { useMemo } from 'react'
import { Link } from 'wouter'
import type { Message } from '../../wire/things.ts'
import { countTraffic } from './traffic-table.ts'

/** Who writes to whom, in counts; each leads to those messages. */
export function Traffic({ messages }: { messages: readonly Message[] }) {
  const { names, count } = useMemo(() => countTraffic(messages), [messages])
  if (names.length === 0) return null
  return (
    <details className="rounded-lg border border-line bg-panel">
      <summary className="cursor-pointer px-3 py-2 font-semibold">Who writes to whom</summary>
      <div className="overflow-x-auto p-3">
        <table className="text-xs [&_td]:px-2 [&_td]:py-1 [&_td]:text-right [&_th]:px-2">
          <thead>
            <tr>
              <th scope="col" className="text-left text-faint">
                from ＼ to
              </th>
              {names.map((to) => (
                <th key={to} scope="col" className="font-mono">
                  {to}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.map((from) => (
              <tr key={from}>
                <th scope="row" className="text-left font-mono">
                  {from}
                </th>
                {names.map((to) => (
                  <td key={to}>
                    {count(from, to) > 0 && (
                      <Link href={`/messages?q=from:${from}+to:${to}`} className="text-info hover:underline">
                        {count(from, to)}
                      </Link>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}
