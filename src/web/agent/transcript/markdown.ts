import { Lexer, type MarkedToken, type Token, type Tokens } from 'marked'
import { createElement, Fragment, type ReactNode } from 'react'
import { visible } from '../../ui/visible.ts'

/** Where a link of an agent may lead: somewhere else, and never to run something. */
export function linkTarget(href: string): string | undefined {
  if (!URL.canParse(href)) return undefined
  const url = new URL(href)
  return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : undefined
}

/** What is nested deeper is not meant to be read. */
const MAX_DEPTH = 40

/**
 * Markdown of an agent as elements, made of its tokens and never of HTML: HTML in it is text. Undefined for what nests deeper than anything
 * that is meant to be read.
 */
export function renderMarkdown(text: string): ReactNode | undefined {
  try {
    return renderAll(Lexer.lex(visible(text), { gfm: true }), 0)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

const renderAll = (tokens: readonly Token[], depth: number): ReactNode[] =>
  tokens.map((token, index) => createElement(Fragment, { key: index }, render(token as MarkedToken, depth)))

function render(token: MarkedToken, depth: number): ReactNode {
  if (depth > MAX_DEPTH) throw new RangeError('it nests too deep')
  const inner = (tokens: readonly Token[] = []) => renderAll(tokens, depth + 1)
  switch (token.type) {
    case 'space':
      return null
    case 'br':
    case 'hr':
      return createElement(token.type)
    case 'paragraph':
      return createElement('p', null, inner(token.tokens))
    // The headings of the page are its own.
    case 'heading':
      return createElement('p', { className: 'md-heading' }, inner(token.tokens))
    case 'blockquote':
    case 'strong':
    case 'em':
    case 'del':
      return createElement(token.type, null, inner(token.tokens))
    case 'codespan':
      return createElement('code', null, token.text)
    case 'code':
      return createElement('pre', null, createElement('code', null, token.text))
    case 'list':
      return createElement(
        token.ordered ? 'ol' : 'ul',
        token.ordered && token.start !== '' ? { start: token.start } : null,
        inner(token.items),
      )
    case 'list_item':
      return createElement('li', null, inner(token.tokens))
    case 'checkbox':
      return token.checked ? '☑ ' : '☐ '
    case 'table':
      return renderTable(token, inner)
    case 'link':
      return renderLink(token.href, inner(token.tokens))
    // A picture from elsewhere would tell that somebody looks.
    case 'image':
      return withAddress(decoded(token.text) || 'picture', token.href)
    case 'text':
      return token.tokens ? inner(token.tokens) : decoded(token.text)
    case 'escape':
      return token.text
    // HTML, what defines a link, and whatever else there may be one day: as it was written.
    default:
      return token.raw
  }
}

const renderTable = ({ header, rows }: Tokens.Table, inner: (tokens: Token[]) => ReactNode[]): ReactNode => {
  const renderRow = (name: 'th' | 'td', cells: readonly Tokens.TableCell[], key: number) =>
    createElement(
      'tr',
      { key },
      cells.map(({ tokens, align }, index) =>
        createElement(name, { key: index, align: align ?? undefined }, inner(tokens)),
      ),
    )
  return createElement(
    'table',
    null,
    createElement('thead', null, renderRow('th', header, 0)),
    createElement(
      'tbody',
      null,
      rows.map((cells, index) => renderRow('td', cells, index)),
    ),
  )
}

function renderLink(href: string, words: ReactNode[]): ReactNode {
  const target = linkTarget(href)
  if (target === undefined) return withAddress(words, href)
  const props = { href: target, title: target, target: '_blank', rel: 'noopener noreferrer nofollow' }
  return createElement('a', props, words)
}

/** What leads nowhere, with where it says that it does. */
const withAddress = (words: ReactNode, href: string): ReactNode => [
  createElement(Fragment, { key: 0 }, words),
  createElement('span', { key: 1, className: 'md-image' }, ` (${href})`),
]

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: '\u00a0' }

/** Text with the references that people write out; the others stay as they are. */
const decoded = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (reference, name: string) => ENTITIES[name] ?? reference)
