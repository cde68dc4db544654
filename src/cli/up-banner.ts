import { columns } from './cells.ts'
import { AGENT_STYLE, type Paint, type Style } from './paint.ts'
import { HOST_NETWORK, type Status } from './status-text.ts'

/** What `hive up` says when the hive runs. `dashboard`: the link to it, or why there is none. */
export function bannerText(status: Status, dashboard: string, paint: Paint): string {
  const { agents, runtime, stateDir, version } = status
  const rows = agents.map(({ name, state, model, unread }) => [
    `  ${paint('bold', name)}`,
    paint(AGENT_STYLE[state], state),
    model,
    unread === 0 ? '' : `${unread} unread`,
  ])
  return [
    `\n${paint('bold', 'hyperhive')} ${version} · ${runtime} · ${stateDir}\n\n`,
    modelBanner(status.model, paint),
    status.network === 'host' ? networkBanner(paint) : '',
    '\n',
    `  ${paint('bold', 'Dashboard')}  ${dashboard}\n\n`,
    columns(rows),
    `\n${paint('gray', 'Messages as they move. Ctrl-C stops the hive and its agents; what is queued waits for the next start.')}\n\n`,
  ].join('')
}

function modelBanner(model: Status['model'], paint: Paint): string {
  const style: Style = ['bold', model === 'demo' ? 'yellow' : 'green']
  const lines =
    model === 'demo'
      ? [
          'DEMO. A scripted model answers: nothing is sent to Anthropic, and no answer means anything.',
          'For the real one: hive up --no-demo --agent-env ANTHROPIC_API_KEY',
        ]
      : ['REAL MODEL. Every turn of an agent calls it and uses your account.', 'To look around without: hive up --demo']
  return barred(lines, style, paint)
}

const networkBanner = (paint: Paint): string =>
  barred(
    [`NETWORK ${HOST_NETWORK}.`, 'To shut it: "network": "none" in the config file, and a new start'],
    ['bold', 'red'],
    paint,
  )

/** Lines with a bar before them, the first one loud. */
const barred = (lines: readonly string[], style: Style, paint: Paint): string =>
  lines.map((line, at) => `  ${paint(style, '▌')} ${at === 0 ? paint(style, line) : line}\n`).join('')
