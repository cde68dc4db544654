/** Where the Claude Code that is installed here asks for consent: of a subscription, and of the console. */
const PAGES = [
  new URL('https://claude.com/cai/oauth/authorize'),
  new URL('https://platform.claude.com/oauth/authorize'),
]
/** Where it has the code shown to the operator. */
const TARGET = 'https://platform.claude.com/oauth/code/callback'

/**
 * Why the operator must not be sent to this page; undefined when they may. The URL is the claim of an agent that may be
 * hostile: only the page where the provider asks for consent will do, and only if it hands the code to the one that shows it.
 */
export function findUrlProblem(text: string): string | undefined {
  const url = URL.parse(text)
  if (!url) return 'it is no URL'
  if (url.protocol !== 'https:' || url.port !== '' || url.username !== '' || url.password !== '')
    return 'it is no plain https'
  // What a terminal or a page shows must be what the browser opens.
  if (url.href !== text) return 'it is not spelled plainly'
  const pages = PAGES.filter(({ hostname }) => hostname === url.hostname)
  if (pages.length === 0) return `${url.hostname} is no host of the provider`
  if (!pages.some(({ pathname }) => pathname === url.pathname)) return 'it is not the page of a login'
  const targets = url.searchParams.getAll('redirect_uri')
  if (targets.length !== 1)
    return `it leads to ${targets.length === 0 ? 'no page' : 'more than one page'} with the code`
  if (targets[0] !== TARGET) return 'it hands the code to somebody else'
}
