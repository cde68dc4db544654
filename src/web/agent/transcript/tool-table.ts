import { z } from 'zod'
import { firstLine } from './clip.ts'

/** How the calls of one tool are shown. */
export interface ToolLook {
  /** Shown instead of the tool's name. */
  readonly label?: string
  /** What a call is about, on one line; undefined when its input says nothing of the kind. */
  readonly title: (input: Input) => string | undefined
  /** It only looks: several in a row fold into one. */
  readonly isLookup?: true
  /** What stands under the line: the result (the default), the lines that it changes, or words of its input. */
  readonly body?: 'result' | 'diff' | ((input: Input) => string | undefined)
  /** Open from the beginning. */
  readonly isOpen?: true
  /** What it gave back says nothing when it worked. */
  readonly hidesSuccess?: true
}

type Input = Readonly<Record<string, unknown>>

const field =
  (...names: string[]) =>
  (input: Input): string | undefined =>
    names.map((name) => input[name]).find((value): value is string => typeof value === 'string' && value !== '')

const number = (input: Input, name: string): string =>
  typeof input[name] === 'number' || typeof input[name] === 'string' ? `#${input[name]}` : ''

const inFolder = (input: Input, what: string): string | undefined => {
  const folder = field('path')(input)
  const wanted = field(what)(input)
  return folder && wanted ? `${wanted} in ${folder}` : wanted
}

const command = (input: Input): string | undefined => {
  const text = field('command')(input)
  return text === undefined ? undefined : `$ ${text}`
}
const isLong = (text = ''): boolean => text.length > 200 || text.includes('\n')

const path = field('file_path', 'notebook_path', 'path')
const words = (text: string | undefined): string => firstLine(text ?? '')

const Todos = z.array(z.object({ content: z.string(), status: z.string() }))
const TODO_MARKS: Readonly<Record<string, string>> = { completed: '✓', in_progress: '▸' }
const todos = (input: Input) => Todos.safeParse(input.todos).data ?? []

const Questions = z.array(z.object({ question: z.string() }))

/** Tools of the engine, and of the hive by their plain names. One that is not here is shown with its whole input. */
const TOOLS: Readonly<Record<string, ToolLook>> = {
  Bash: { title: command, body: (input) => (isLong(command(input)) ? command(input)?.slice(2) : undefined) },
  BashOutput: { title: field('bash_id'), isLookup: true },
  KillShell: { title: field('shell_id') },
  Read: { title: path, isLookup: true },
  Grep: { title: (input) => inFolder(input, 'pattern'), isLookup: true },
  Glob: { title: (input) => inFolder(input, 'pattern'), isLookup: true },
  LS: { title: path, isLookup: true },
  ToolSearch: { title: field('query'), isLookup: true },
  WebFetch: { title: field('url'), isLookup: true },
  WebSearch: { title: field('query'), isLookup: true },
  ListAgents: { title: () => '', isLookup: true },
  Edit: { title: path, body: 'diff', hidesSuccess: true },
  MultiEdit: { title: path, body: 'diff', hidesSuccess: true },
  Write: { title: path, body: 'diff', hidesSuccess: true },
  NotebookEdit: { title: path, body: 'diff', hidesSuccess: true },
  Task: { title: field('description'), body: field('prompt') },
  Agent: { title: field('description'), body: field('prompt') },
  TaskOutput: { title: field('task_id'), isLookup: true },
  TaskStop: { title: field('task_id', 'shell_id') },
  TaskCreate: { title: field('subject'), body: field('description'), hidesSuccess: true },
  TaskUpdate: { title: (input) => `${number(input, 'taskId')} ${field('status')(input) ?? ''}`, hidesSuccess: true },
  TaskGet: { title: (input) => number(input, 'taskId'), isLookup: true },
  TaskList: { title: () => '', isLookup: true },
  TodoWrite: {
    label: 'To do',
    title: (input) => `${todos(input).filter(({ status }) => status === 'completed').length}/${todos(input).length}`,
    body: (input) =>
      todos(input)
        .map(({ content, status }) => `${TODO_MARKS[status] ?? '·'} ${content}`)
        .join('\n'),
    isOpen: true,
    hidesSuccess: true,
  },
  Skill: { title: field('skill', 'command') },
  SendMessage: { title: (input) => `→ ${field('to')(input) ?? ''}`, body: field('message', 'content') },
  ScheduleWakeup: { title: field('reason') },
  ExitPlanMode: { title: () => '', body: field('plan'), isOpen: true },
  AskUserQuestion: {
    title: (input) =>
      Questions.safeParse(input.questions)
        .data?.map(({ question }) => question)
        .join(' · '),
  },
  mcp__hyperhive__send: {
    label: 'send',
    title: (input) => `→ ${field('to')(input) ?? ''}: ${words(field('body')(input))}`,
    body: field('body'),
    hidesSuccess: true,
  },
  mcp__hyperhive__recv: { label: 'look for mail', title: () => '' },
  mcp__hyperhive__ask_operator: { label: 'ask the operator', title: field('question'), isOpen: true },
  mcp__hyperhive__cancel_question: { label: 'take a question back', title: (input) => number(input, 'id') },
  mcp__hyperhive__remind: { label: 'remind', title: field('message'), hidesSuccess: true },
  mcp__hyperhive__reminders: { label: 'reminders', title: () => '', isLookup: true },
  mcp__hyperhive__cancel_reminder: { label: 'take a reminder back', title: (input) => number(input, 'id') },
  mcp__hyperhive__notes: {
    label: 'notes',
    title: (input) => [field('agent')(input), field('path')(input)].filter(Boolean).join(' '),
    isLookup: true,
  },
  mcp__hyperhive__rebuild: { label: 'rebuild', title: field('name') },
  mcp__hyperhive__start: { label: 'start', title: field('name') },
  mcp__hyperhive__kill: { label: 'kill', title: field('name') },
  mcp__hyperhive__restart: { label: 'restart', title: field('name') },
  mcp__hyperhive__request_spawn: { label: 'request a spawn', title: field('name') },
  mcp__hyperhive__request_init_config: { label: 'request a configuration', title: field('name') },
  mcp__hyperhive__request_apply_commit: {
    label: 'request a deploy',
    title: (input) => [field('agent')(input), field('commit_ref')(input)].filter(Boolean).join(' '),
    body: field('description'),
  },
  mcp__hyperhive__cancel_approval: { label: 'take a request back', title: (input) => number(input, 'id') },
}

/** How the calls of a tool are shown; undefined: it is not known, and its input is shown as it is. */
export const lookOf = (tool: string): ToolLook | undefined => (Object.hasOwn(TOOLS, tool) ? TOOLS[tool] : undefined)

/** An input as its fields; one that is no object has none. */
export const fieldsOf = (input: unknown): Input =>
  typeof input === 'object' && input !== null && !Array.isArray(input) ? (input as Input) : {}
