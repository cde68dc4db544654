import { Link } from 'wouter'
import type { Agent } from '../../wire/things.ts'
import { useLive } from '../api/live.ts'
import { quietly, useDeed } from '../api/use-deed.ts'
import { useOp } from '../api/use-op.ts'
import { requestText } from '../approval/request-text.ts'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { Copy } from '../ui/copy.tsx'
import { shortSha } from '../ui/figures.ts'
import { Empty } from '../ui/panel.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { Ago, Until } from '../ui/time.tsx'
import { Unreadable } from '../ui/unreadable.tsx'
import { visible, visibleLine } from '../ui/visible.ts'

/** Which configuration an agent runs, what the clock does for it, and the changes that were asked for. */
export const Config = ({ agent }: { agent: Agent }) => (
  <>
    <p className="flex flex-wrap items-center gap-2 border-b border-line px-3 py-2">
      {agent.sha === null ? (
        <span className="text-dim">No configuration was deployed yet.</span>
      ) : (
        <>
          Runs <code className="font-mono text-xs">{shortSha(agent.sha)}</code>
          <Copy text={agent.sha} label="Copy the commit" />
        </>
      )}
      {agent.needsUpdate && <Badge tone="accent">needs update</Badge>}
    </p>
    {agent.sha !== null && <Deployed agent={agent.name} sha={agent.sha} />}
    <Schedules agent={agent.name} />
    <Reminders agent={agent.name} />
    <Changes agent={agent.name} />
  </>
)

/** The text of what runs. Secrets are only named in it. */
function Deployed({ agent, sha }: { agent: string; sha: string }) {
  const query = useOp('config', { agent }, { when: sha })
  return (
    <section aria-label="agent.json" className="border-b border-line">
      <h3 className="px-3 pt-2 text-dim">agent.json</h3>
      <QueryView query={query}>
        {({ text }) =>
          text === null ? (
            <Empty>Its commit has none: everything is left to the hive.</Empty>
          ) : (
            <div className="flex items-start gap-2 px-3 py-1">
              <pre className="min-w-0 flex-1 font-mono text-xs break-words whitespace-pre-wrap">{visible(text)}</pre>
              <Copy text={text} label="Copy agent.json" />
            </div>
          )
        }
      </QueryView>
    </section>
  )
}

function Schedules({ agent }: { agent: string }) {
  const query = useOp('schedules', { agent })
  return (
    <section aria-label="Schedules" className="border-b border-line">
      <h3 className="px-3 pt-2 text-dim">Schedules</h3>
      <QueryView query={query}>
        {({ schedules }) =>
          schedules.length === 0 ? (
            <Empty>None: they stand in agent.json.</Empty>
          ) : (
            <ul>
              {schedules.map(({ cron, message, nextAt }) => (
                <li key={`${cron} ${message}`} className="px-3 py-1">
                  <code className="font-mono text-xs">{visible(cron)}</code> <Until at={nextAt} />
                  <div className="break-words text-dim">{visibleLine(message)}</div>
                </li>
              ))}
            </ul>
          )
        }
      </QueryView>
    </section>
  )
}

function Reminders({ agent }: { agent: string }) {
  const query = useOp('reminders', { agent })
  const cancel = useDeed('cancel_reminder', 'The reminder is taken back')
  return (
    <section aria-label="Reminders" className="border-b border-line">
      <h3 className="px-3 pt-2 text-dim">Reminders</h3>
      <QueryView query={query}>
        {({ reminders, errors }) => (
          <>
            <Unreadable rows={errors} />
            {reminders.length === 0 && <Empty>None: an agent sets them for itself.</Empty>}
            <ul>
              {reminders.map(({ id, message, dueAt }) => (
                <li key={id} className="flex items-center gap-2 px-3 py-1">
                  <span className="min-w-0 flex-1 break-words">
                    <Until at={dueAt} /> <span className="text-dim">{visibleLine(message)}</span>
                  </span>
                  <Button look="quiet" disabled={!cancel.canRun} onClick={() => quietly(cancel.run({ id }))}>
                    Take back
                  </Button>
                </li>
              ))}
            </ul>
          </>
        )}
      </QueryView>
    </section>
  )
}

function Changes({ agent }: { agent: string }) {
  const when = useLive(({ state }) => state?.approvals.map(({ id, state }) => `${id} ${state}`).join())
  const query = useOp('pending', { agent, all: true, limit: 50 }, { when })
  return (
    <section aria-label="Changes">
      <h3 className="px-3 pt-2 text-dim">Changes</h3>
      <QueryView query={query}>
        {({ approvals, errors }) => (
          <>
            <Unreadable rows={errors} />
            {approvals.length === 0 && <Empty>None was asked for.</Empty>}
            <ul>
              {approvals.toReversed().map((approval) => (
                <li key={approval.id} className="flex flex-wrap items-baseline gap-2 px-3 py-1">
                  <Link href={`/approvals/${approval.id}`} className="font-semibold text-info hover:underline">
                    #{approval.id}
                  </Link>
                  <Badge>{approval.state}</Badge>
                  <span className="min-w-0 break-words">
                    {visibleLine(approval.description ?? requestText(approval))}
                  </span>
                  <span className="ml-auto">
                    <Ago at={approval.requestedAt} />
                  </span>
                </li>
              ))}
            </ul>
          </>
        )}
      </QueryView>
    </section>
  )
}
