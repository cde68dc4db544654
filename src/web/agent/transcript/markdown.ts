import DOMPurify, { type Config } from 'dompurify'
import { Marked } from 'marked'
import { visible } from '../../ui/visible.ts'

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

/** Where a link of an agent may lead: somewhere else, and never to run something. */
export function linkTarget(href: string): string | undefined {
  if (!URL.canParse(href)) return undefined
  const url = new URL(href)
  return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : undefined
}

const marked = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }) => escaped(text),
    // The headings of the page are its own.
    heading({ tokens }) {
      return `<p class="md-heading">${this.parser.parseInline(tokens)}</p>`
    },
    // A picture from elsewhere would tell that somebody looks.
    image: ({ href, text }) => `<span class="md-image">${escaped(text || 'picture')} (${escaped(href)})</span>`,
    link({ href, tokens }) {
      const target = linkTarget(href)
      const words = this.parser.parseInline(tokens)
      if (target === undefined) return `${words} <span class="md-image">(${escaped(href)})</span>`
      return `<a href="${escaped(target)}" title="${escaped(target)}">${words}</a>`
    },
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
  },
})

/** Markdown of an agent as HTML. HTML in it is text; it still has to go through `sanitised`. Throws when it nests too deep. */
export const markdownHtml = (text: string): string => marked.parse(visible(text), { async: false })

const ALLOWED: Config = {
  ALLOWED_TAGS: [
    ...['p', 'br', 'hr', 'blockquote', 'ul', 'ol', 'li'],
    ...['strong', 'em', 'del', 'code', 'pre', 'a', 'span', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  ALLOWED_ATTR: ['href', 'title', 'class', 'start', 'align'],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
}

/** Nodes of HTML that may stand in the page: text and its marks, and links that open elsewhere. Needs a document. */
export function sanitised(html: string): DocumentFragment {
  const fragment = DOMPurify.sanitize(html, { ...ALLOWED, RETURN_DOM_FRAGMENT: true })
  for (const link of fragment.querySelectorAll('a')) {
    link.target = '_blank'
    link.rel = 'noopener noreferrer nofollow'
  }
  return fragment
}
