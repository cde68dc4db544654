import { z } from 'zod'
import type { StreamMessage } from './claude-process.ts'
import type { Control } from './control.ts'
import type { McpResponder } from './mcp-responder.ts'
import type { PermissionRequests } from './permission-requests.ts'

const ControlRequest = z.looseObject({
  request_id: z.string(),
  request: z.looseObject({ subtype: z.string(), message: z.unknown().optional() }),
})

/** Answers what the engine asks of us: calls of our tools, and permissions, which only the operator can give. Throws when it cannot be read. */
export async function answerRequest(
  message: StreamMessage,
  { control, mcp, permissions }: { control: Control; mcp: McpResponder; permissions: PermissionRequests },
): Promise<void> {
  const { request_id: id, request } = ControlRequest.parse(message)
  switch (request.subtype) {
    case 'mcp_message':
      control.answer(id, { mcp_response: await mcp.answer(request.message) })
      break
    case 'can_use_tool': {
      const answer = await permissions.decide(id, request)
      if (answer) control.answer(id, answer)
      break
    }
    default:
      control.refuse(id, `${request.subtype} is not supported`)
  }
}
