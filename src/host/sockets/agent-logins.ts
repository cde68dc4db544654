import type { agentLoginOps } from '../../wire/logins.ts'
import type { Handlers } from '../../wire/op.ts'
import type { HarnessLink } from '../agents/harness-link.ts'
import type { LoginFlows } from '../logins/login-flows.ts'

/** What the socket of one agent answers about its login. */
export function agentLoginHandlers(
  { logins }: { readonly logins: LoginFlows },
  link: HarnessLink,
  agent: string,
): Handlers<typeof agentLoginOps> {
  return {
    report_login(report, call) {
      link.assertHarness(call)
      logins.report(agent, report)
      return {}
    },
  }
}
