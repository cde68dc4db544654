import { Component, type ReactNode } from 'react'
import { Button } from './button.tsx'
import { Copy } from './copy.tsx'
import { Words } from './words.tsx'

/** One part of a page: its heading, what can be done with all of it, and what it shows. A crash in it stays in it. */
export const Panel = ({
  title,
  beside,
  actions,
  children,
}: {
  title: string
  beside?: ReactNode
  actions?: ReactNode
  children: ReactNode
}) => (
  <section aria-label={title} className="overflow-hidden rounded-lg border border-line bg-panel">
    <header className="flex min-h-10 flex-wrap items-center gap-2 border-b border-line px-3 py-1.5">
      <h2 className="text-sm">
        <Words>{title}</Words>
      </h2>
      {beside}
      <div className="ml-auto flex items-center gap-2">{actions}</div>
    </header>
    <Guard what={title}>{children}</Guard>
  </section>
)

/** One sentence where there is nothing, and what to do about it. */
export const Empty = ({ children }: { children: ReactNode }) => <p className="px-3 py-3 text-dim">{children}</p>

interface Guarded {
  readonly what: string
  /** Another one is tried anew. */
  readonly place?: string
  readonly children: ReactNode
}

/** Keeps a crash of a part of the page to that part. */
export class Guard extends Component<Guarded, { error: Error | undefined }> {
  override state = { error: undefined as Error | undefined }

  static getDerivedStateFromError(error: unknown) {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }

  override componentDidUpdate({ place }: Guarded) {
    if (place !== this.props.place && this.state.error) this.setState({ error: undefined })
  }

  override render() {
    const { error } = this.state
    if (!error) return this.props.children
    const diagnostics = [this.props.what, location.pathname, error.stack ?? error.message].join('\n')
    return (
      <div role="alert" className="flex flex-wrap items-center gap-2 p-3 text-err">
        <span className="min-w-0 flex-1 break-words">
          {this.props.what} cannot be shown: {error.message}
        </span>
        <Copy text={diagnostics} label="Copy diagnostics" />
        <Button onClick={() => this.setState({ error: undefined })}>Try again</Button>
      </div>
    )
  }
}
