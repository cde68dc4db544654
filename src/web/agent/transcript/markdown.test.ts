import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderToStaticMarkup } from 'react-dom/server'
import { ansiSpans } from '../ansi.ts'
import { linkTarget, renderMarkdown } from './markdown.ts'

/** What stands in the page. */
const markdownHtml = (text: string): string => renderToStaticMarkup(renderMarkdown(text))

/** Names of the tags in a text of HTML. */
const tags = (html: string): string[] => [...html.matchAll(/<([a-z0-9]+)/gi)].map(([, name = '']) => name)

test('Markdown becomes what it says', () => {
  assert.equal(markdownHtml('**a** `b`\n'), '<p><strong>a</strong> <code>b</code></p>')
  assert.deepEqual(tags(markdownHtml('- [x] done\n\n| a |\n|---|\n| b |\n')).slice(0, 4), [
    'ul',
    'li',
    'table',
    'thead',
  ])
})

for (const hostile of [
  '<img src=x onerror=alert(1)>',
  '<script>alert(1)</script>',
  'a <svg onload=alert(1)> b',
  '<a href="javascript:alert(1)">x</a>',
  '<form action=//evil><input name=a></form>',
  '<style>*{display:none}</style>',
  '![picture](https://evil.example/pixel.png)',
  '![a"onerror=alert(1)](x"onerror=alert(1))',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](data:text/html,<script>alert(1)</script>)',
  '[x](vbscript:x)',
  '[x](/approvals/3)',
  '[x](//evil.example)',
  '<javascript:alert(1)>',
]) {
  test(`it runs nothing, and fetches nothing: ${hostile}`, () => {
    const html = markdownHtml(hostile)
    assert.deepEqual(
      tags(html).filter((tag) => !['p', 'span'].includes(tag)),
      [],
      html,
    )
    for (const [tag] of html.matchAll(/<[^>]*>/g)) assert.doesNotMatch(tag, /\son|javascript|src=|style=/i)
  })
}

test('HTML is text, and so is what defines a link', () => {
  assert.equal(markdownHtml('a <b>c</b>'), '<p>a &lt;b&gt;c&lt;/b&gt;</p>')
  assert.match(markdownHtml('[x]: https://a.example "t"'), /\[x\]: https/)
  assert.equal(markdownHtml('1 &lt; 2 &amp; `&lt;`'), '<p>1 &lt; 2 &amp; <code>&amp;lt;</code></p>')
})

test('what nests deeper than anything that is meant to be read is not rendered', () => {
  assert.equal(renderMarkdown('> '.repeat(2_000)), undefined)
  assert.equal(renderMarkdown(`${'*a **b '.repeat(200)}x${'** *'.repeat(200)}`) === undefined, false)
})

test('links lead to other places only, as they say', () => {
  assert.equal(linkTarget('https://a.example/x?y=1'), 'https://a.example/x?y=1')
  for (const bad of ['javascript:alert(1)', ' javascript:1', '/x', '//x', '#x', 'file:///etc/passwd', 'x']) {
    assert.equal(linkTarget(bad), undefined, bad)
  }
  assert.match(markdownHtml('[a](https://b.example/"x)'), /^<p><a href="https:\/\/b\.example\/%22x" [^>]*>a<\/a>/)
})

test('characters that hide or reorder text are spelled out, in Markdown and in output', () => {
  assert.match(markdownHtml('a\u202eb'), /U\+202E/)
  assert.deepEqual(ansiSpans('a\u202eb')[0]?.text, 'a<U+202E>b')
})

test('output keeps its colours, and does nothing else to the page', () => {
  assert.deepEqual(ansiSpans('\u001b[31mred\u001b[0m \u001b[1mbold\u001b[0m'), [
    { text: 'red', tone: 'err', isBold: false },
    { text: ' ', tone: undefined, isBold: false },
    { text: 'bold', tone: undefined, isBold: true },
  ])
  assert.deepEqual(
    ansiSpans('\u001b[1;92mx\u001b[22my\u001b[39mz').map(({ tone, isBold }) => [tone, isBold]),
    [
      ['ok', true],
      ['ok', false],
      [undefined, false],
    ],
  )
  const text = ansiSpans('<b>x</b>\u001b]0;title\u0007\u001b[2J')
    .map((span) => span.text)
    .join('')
  assert.match(text, /^<b>x<\/b>/)
  assert.doesNotMatch(text, /\p{Cc}/u)
})

test('output with a colour for each letter is one piece without colours', () => {
  const spans = ansiSpans('\u001b[31mx\u001b[32my'.repeat(5_000))
  assert.deepEqual(
    spans.map(({ text, tone }) => [text.length, tone]),
    [[10_000, undefined]],
  )
})
