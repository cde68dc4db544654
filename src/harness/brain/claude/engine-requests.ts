import { z } from 'zod'
import type { StreamMessage } from './claude-process.ts'
import type { Control } from './control.ts'
import type { McpResponder } from './mcp-responder.ts'

const ControlRequest = z.looseObject({
  request_id: z.string(),
  request: z.looseObject({ subtype: z.string(), message: z.unknown().optional(), tool_name: z.string().optional() }),
})

/** Answers what the engine asks of us: calls of our tools, and permissions, which only the operator can give. Throws when it cannot be read. */
export async function answerRequest(message: StreamMessage, control: Control, mcp: McpResponder): Promise<void> {
  const { request_id: id, request } = ControlRequest.parse(message)
  switch (request.subtype) {
    case 'mcp_message':
      control.answer(id, { mcp_response: await mcp.answer(request.message) })
      break
    case 'can_use_tool':
      control.answer(id, {
        behavior: 'deny',
        message: `This agent may not use ${request.tool_name} in this way: the operator has to allow it. Go on without it.`,
      })
      break
    default:
      control.refuse(id, `${request.subtype} is not supported`)
  }
}
