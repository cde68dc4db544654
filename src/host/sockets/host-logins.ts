import type { hostLoginOps } from '../../wire/logins.ts'
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
  return {
    async login({ agent, method }, { signal }) {
      registry.get(agent)
      const flow = await logins.start(agent, method, signal)
      await audit.note({ actor: OPERATOR, verb: 'login', agent, detail: { method } })
      return { flow }
    },
    async login_code({ agent, code }, { signal }) {
      registry.get(agent)
      return { flow: await logins.code(agent, code, signal) }
    },
    async login_cancel({ agent }) {
      registry.get(agent)
      return { flow: await logins.cancel(agent) }
    },
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
