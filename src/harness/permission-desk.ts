import { MAX_WAIT_SECONDS } from '../wire/agent-ops.ts'
import { errorText } from '../wire/errors.ts'
import type { PermissionState } from '../wire/permissions.ts'
import type { AskPermission, ToolRequest, Verdict } from './brain/claude/permission-requests.ts'
import type { DaemonLink } from './daemon-link.ts'

/** Of what an operation takes. */
const MAX_INPUT_CHARS = 64 * 1024
const MAX_TOOL_CHARS = 200
const MAX_DESCRIPTION_CHARS = 2000

/** Asks the operator for what the engine may not do by itself, through the daemon, and waits as long as that does: also while it is away. */
export const createPermissionDesk =
  (link: Pick<DaemonLink, 'connected' | 'call'>): AskPermission =>
  async (request, signal) => {
    try {
      return await ask(link, request, signal)
    } catch (error) {
      if (signal.aborted) throw error
      return deny(`the operator cannot be asked: ${errorText(error)}`)
    }
  }

/** Throws what the daemon refuses, and when `signal` aborts; then the request is withdrawn. */
async function ask(link: Pick<DaemonLink, 'connected' | 'call'>, request: ToolRequest, signal: AbortSignal) {
  const { epoch } = (await link.connected()).hello
  const call = { epoch, request: request.id, ...describe(request), wait_seconds: MAX_WAIT_SECONDS }
  try {
    for (;;) {
      const { state, message } = await link.call('ask_permission', call, signal)
      if (state !== 'pending') return verdictOf(state, message)
    }
  } catch (error) {
    // Should this fail too, the daemon withdraws it when the turn is over.
    if (signal.aborted) await link.call('withdraw_permission', { epoch, request: request.id }).catch(() => {})
    throw error
  }
}

function describe({ tool, input, description }: ToolRequest) {
  return {
    tool: tool.slice(0, MAX_TOOL_CHARS),
    input: cut(JSON.stringify(input)),
    description: description?.slice(0, MAX_DESCRIPTION_CHARS),
  }
}

function cut(text: string): string {
  if (text.length <= MAX_INPUT_CHARS) return text
  const note = `… (cut: it has ${text.length} characters)`
  return text.slice(0, MAX_INPUT_CHARS - note.length) + note
}

function verdictOf(state: Exclude<PermissionState, 'pending'>, message: string | null): Verdict {
  switch (state) {
    case 'permitted':
      return { allowed: true }
    case 'refused':
      return deny(`the operator refused it${message === null ? '' : `: ${message}`}`)
    case 'expired':
      return deny(message ?? 'nobody decided in time')
    case 'withdrawn':
      return deny('it was not asked for any more')
  }
}

/** What the model reads. */
const deny = (why: string): Verdict => ({
  allowed: false,
  message: `This needs the operator's permission, and was not done: ${why}. Go on without it; do not try it in another way.`,
})
