import { HiveError } from '../../wire/errors.ts'
import type { hostLoginOps, LoginFlow } from '../../wire/logins.ts'
import { OPERATOR } from '../../wire/names.ts'
import type { Handlers } from '../../wire/op.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { AuditLog } from '../audit-log.ts'
import type { ContainerRuntime } from '../containers/runtime.ts'
import { logOut } from '../logins/log-out.ts'
import type { LoginFlows } from '../logins/login-flows.ts'

export interface HostLoginDeps {
  readonly registry: Pick<AgentRegistry, 'get'>
  readonly logins: LoginFlows
  readonly audit: Pick<AuditLog, 'note'>
  readonly runtime: Pick<ContainerRuntime, 'exec'>
  readonly about: { readonly network: 'none' | 'host' }
}

/** What the operator's socket answers about logins of agents. */
export function loginHandlers({
  registry,
  logins,
  audit,
  runtime,
  about,
}: HostLoginDeps): Handlers<typeof hostLoginOps> {
  /** What was tried stands in the audit, whatever comes of it; never a code. */
  const audited = async (verb: string, agent: string, detail: object, act: () => Promise<LoginFlow | null>) => {
    registry.get(agent)
    let outcome = 'none'
    try {
      const flow = await act()
      if (flow) outcome = flow.state
      return { flow }
    } catch (error) {
      outcome = error instanceof HiveError ? error.code : 'internal'
      throw error
    } finally {
      await audit.note({ actor: OPERATOR, verb, agent, detail: { ...detail, outcome } })
    }
  }
  return {
    login: ({ agent, method }, { signal }) =>
      audited('login', agent, { method }, () => logins.start(agent, method, signal)),
    login_code: ({ agent, code }, { signal }) =>
      audited('login_code', agent, {}, () => logins.code(agent, code, signal)),
    login_cancel: ({ agent }) => audited('login_cancel', agent, {}, () => logins.cancel(agent)),
    async logout({ agent }) {
      registry.get(agent)
      const text = await logOut(runtime, agent, about.network)
      await audit.note({ actor: OPERATOR, verb: 'logout', agent })
      return { text }
    },
    async login_status({ agent, after, wait_seconds }, { signal }) {
      registry.get(agent)
      return { flow: await logins.follow(agent, after, wait_seconds * 1000, signal) }
    },
  }
}
