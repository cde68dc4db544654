import { createInterface } from 'node:readline'
import { createMcpResponder } from './mcp-responder.ts'

/** For tests, a program: a tool server over stdio. Its one tool, `where`, says what it was given and where it runs. */
const responder = createMcpResponder({
  tools: () => [{ name: 'where', description: 'Where am I?', inputSchema: { type: 'object', properties: {} } }],
  call: async () => ({
    text: JSON.stringify({ given: process.env.GIVEN, args: process.argv.slice(2), cwd: process.cwd() }),
    isError: false,
  }),
})
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line) as { id?: unknown }
  const reply = responder.answer(message).then((answer) => `${JSON.stringify(answer)}\n`)
  if (message.id !== undefined) process.stdout.write(await reply)
}
