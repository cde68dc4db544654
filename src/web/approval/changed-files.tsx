import type { ReactNode } from 'react'
import type { Diff } from '../../wire/approvals.ts'
import { visible } from '../ui/visible.ts'

/** Which files a change touches, how much, and what a reader of the diff could miss. */
export const ChangedFiles = ({ diff: { files }, children }: { diff: Diff; children?: ReactNode }) => (
  <section aria-label="Files" className="border-b border-line px-3 py-2">
    <div className="flex flex-wrap items-center gap-2 text-dim">
      {files.length} {files.length === 1 ? 'file' : 'files'}
      {children}
    </div>
    <ul className="mt-1">
      {files.map(({ path, change, added, removed, remarks }) => (
        <li key={path} className="flex flex-wrap gap-x-2 font-mono text-xs">
          <span className="min-w-0 break-all">{visible(path)}</span>
          {change !== 'modified' && <span className="text-info">{change}</span>}
          <span className="text-ok">+{added}</span>
          <span className="text-err">−{removed}</span>
          {remarks.map((remark) => (
            <span key={remark} className="text-accent">
              {visible(remark)}
            </span>
          ))}
        </li>
      ))}
    </ul>
  </section>
)
