import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { Scenario } from '../../src/demo/scenario.ts'
import { obey } from '../../src/demo/scenarios/obey.ts'
import { startTestHive, type TestHive } from '../hive.ts'
import { propose } from '../proposals.ts'
import { openBrowser, visit } from './browser.ts'
import { type PlayedAgent, playAgent } from './played-agent.ts'

/** What would leave a trace in a page that took it for more than text. `MARK` tells where it is shown. */
const HOSTILE = [
  'MARK <img src=x onerror="window.pwned=1"><script>window.pwned=1</script><svg onload="window.pwned=1">',
  '</script></textarea></title><iframe srcdoc="<script>parent.pwned=1</script>"></iframe>',
  '<form action="//evil.example"><input name=a autofocus onfocus="window.pwned=1"></form><style>*{display:none}</style>',
  '[click](javascript:window.pwned=1) ![x](https://evil.example/pixel.png) <https://evil.example> <a href=//evil.example>x</a>',
  '\u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007 \u001b]52;c;ZXZpbA==\u0007 \u202egnp.exe \u200b \u0000',
].join(' ')

const ASK = 'mcp__hyperhive__ask_operator'
const hostile: Scenario = {
  ...obey,
  rules: [
    {
      body: '^attack$',
      do: [
        { say: HOSTILE },
        {
          call: 'Bash',
          with: { command: `echo '${HOSTILE.replace('MARK', 'SHELL').replaceAll("'", '')}'`, description: HOSTILE },
        },
        { call: 'mcp__hyperhive__send', with: { to: 'operator', body: HOSTILE } },
        { call: ASK, with: { question: HOSTILE, options: [`${HOSTILE.slice(0, 90)}`, 'b'] } },
        { say: 'Done.' },
      ],
    },
    ...obey.rules,
  ],
}

describe('what agents write', { timeout: 180_000 }, () => {
  let hive: TestHive
  let browser: Browser
  let bob: PlayedAgent
  before(async () => {
    hive = await startTestHive({}, { scenarios: { manager: hostile } })
    const host = await hive.host()
    for (const name of ['alice', 'bob']) await host.spawn({ name })
    await host.kill({ agent: 'bob', now: true })
    bob = await playAgent(hive, 'bob')
    // What no real engine says: types, tools and results that are made to be rendered.
    await bob.tell([
      { kind: 'note', level: 'error', text: HOSTILE },
      { kind: 'turn_start', messages: [{ id: 1, from: HOSTILE, body: HOSTILE }], pending: 0 },
      { kind: 'stream', value: { type: HOSTILE, subtype: HOSTILE, __proto__: { polluted: HOSTILE }, x: HOSTILE } },
      {
        kind: 'stream',
        value: {
          type: 'assistant',
          message: {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: HOSTILE },
              { type: 'text', text: `# ${HOSTILE}\n\n\`\`\`html\n${HOSTILE}\n\`\`\`\n\n| ${HOSTILE} |\n|---|\n| x |` },
              { type: HOSTILE, [HOSTILE]: HOSTILE },
              { type: 'tool_use', id: 't1', name: HOSTILE, input: { [HOSTILE]: HOSTILE } },
              { type: 'tool_use', id: 't2', name: 'constructor', input: 'no object' },
              {
                type: 'tool_use',
                id: 't3',
                name: 'Edit',
                input: { file_path: HOSTILE, old_string: HOSTILE, new_string: 'x' },
              },
            ],
          },
        },
      },
      {
        kind: 'stream',
        value: {
          type: 'user',
          message: {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 't1', is_error: true, content: HOSTILE },
              {
                type: 'tool_result',
                tool_use_id: 't2',
                content: [
                  {
                    type: 'image',
                    source: {
                      type: 'base64',
                      media_type: 'image/svg+xml',
                      data: btoa('<svg onload="window.pwned=1"/>'),
                    },
                  },
                  { type: 'image', source: { type: 'url', url: 'https://evil.example/pixel.png' } },
                ],
              },
            ],
          },
        },
      },
      { kind: 'turn_end', end: { reason: 'error', detail: HOSTILE } },
    ])
    assert.equal((await hive.tell('manager', 'attack')).state, 'done')
    await propose(hive, 'alice', {
      'agent.json': JSON.stringify({ env: { X: HOSTILE.replaceAll('\0', '') } }),
      '<img src=x onerror=pwned>': HOSTILE,
    })
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.close()
    await bob?.[Symbol.asyncDispose]()
    await hive?.[Symbol.asyncDispose]()
  })

  const places: readonly (readonly [path: string, what: (page: Page) => Promise<void>])[] = [
    [
      '/',
      async (page) => {
        for (const name of ['Needs you', 'Operator inbox', 'Message flow']) {
          await page
            .getByRole('region', { name })
            .getByText(/<img src=x onerror/)
            .first()
            .waitFor()
        }
      },
    ],
    [
      '/messages',
      (page) =>
        page
          .getByText(/<img src=x onerror/)
          .first()
          .waitFor(),
    ],
    [
      '/approvals/1',
      (page) =>
        page
          .getByText(/<img src=x onerror/)
          .first()
          .waitFor(),
    ],
    [
      '/a/manager',
      (page) =>
        page
          .getByText(/<img src=x onerror/)
          .first()
          .waitFor(),
    ],
    [
      '/a/bob',
      (page) =>
        page
          .getByText(/<img src=x onerror/)
          .first()
          .waitFor(),
    ],
    ['/a/bob?panel=journal', (page) => page.getByRole('complementary').waitFor()],
    ['/a/alice?panel=config', (page) => page.getByRole('complementary').getByText('Changes').waitFor()],
  ]
  for (const [path, what] of places) {
    test(`is text on ${path}: nothing runs, nothing is fetched, nothing looks like what it is not`, async () => {
      await using at = await visit(browser, hive)
      at.page.on('dialog', (dialog) => at.faults.push(`dialog: ${dialog.message()}`))
      await at.go(path)
      await what(at.page)
      // With everything open.
      await at.page.keyboard.press('e')
      const shown = await at.page.evaluate<string>("document.body.textContent ?? ''")
      const hidden = ['\u202e', '\u200b', '\u0007', '\u001b'].filter((character) => shown.includes(character))
      assert.deepEqual(hidden, [])
      const made = await at.page.evaluate<string[]>(`[...document.querySelectorAll('#app *')].flatMap((element) =>
        [...element.attributes].filter(({ name, value }) => name.startsWith('on') || /^\\s*javascript:/i.test(value))
          .map(({ name }) => element.tagName + ' ' + name)
          .concat(['IFRAME', 'FORM'].includes(element.tagName) && element.hasAttribute('action') ? [element.tagName] : []))`)
      assert.deepEqual(made, [])
      assert.equal(await at.page.evaluate('window.pwned'), undefined)
      assert.deepEqual(at.faults, [])
    })
  }
})
