import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findUrlProblem } from './login-url.ts'

const PAGE = 'https://claude.com/cai/oauth/authorize'
const QUERY =
  'code=true&client_id=9d1c250a-e61b-44d9-88ed-5944d1962f5e&response_type=code&redirect_uri=https%3A%2F%2Fplatform.claude.com%2Foauth%2Fcode%2Fcallback&scope=org%3Acreate_api_key+user%3Aprofile&code_challenge_method=S256&state=x_-'

test('an operator is sent to what claude auth login prints', () => {
  for (const page of [PAGE, 'https://platform.claude.com/oauth/authorize']) {
    assert.equal(findUrlProblem(`${page}?${QUERY}`), undefined)
  }
})

test('an operator is sent nowhere else', () => {
  const refused: [string, RegExp][] = [
    ['https://claude.com.evil.example/oauth/authorize', /claude\.com\.evil\.example is no host/],
    ['https://evil.example/oauth/authorize?https://claude.com', /evil\.example is no host/],
    ['https://evilclaude.com/oauth/authorize', /is no host/],
    ['https://claude.com@evil.example/oauth/authorize', /no plain https/],
    ['https://claude.com:8443/oauth/authorize', /no plain https/],
    ['http://claude.com/oauth/authorize', /no plain https/],
    ['javascript:alert(1)//claude.com/oauth/authorize', /no plain https/],
    ['file:///etc/passwd', /no plain https/],
    ['https://clаude.com/oauth/authorize', /not spelled plainly/], // a Cyrillic letter
    ['https://claude.com\\@evil.example/oauth/authorize', /not spelled plainly/],
    ['https://CLAUDE.com/oauth/authorize', /not spelled plainly/],
    ['https://claude.com/oauth/authorize\x1b]8;;https://evil.example', /not spelled plainly/],
    ['https://claude.com/../x/../logout?/oauth/authorize', /not spelled plainly/],
    ['https://claude.ai/oauth/authorize', /claude\.ai is no host/],
    ['https://claude.com/share/prompt', /not the page of a login/],
    [`https://claude.com/x/oauth/authorize?${QUERY}`, /not the page of a login/],
    [`https://claude.com/oauth/authorize?${QUERY}`, /not the page of a login/],
    [PAGE, /to no page/],
    [`${PAGE}?redirect_uri=https%3A%2F%2Fevil.example%2Fcatch`, /to somebody else/],
    [`${PAGE}?redirect_uri=http%3A%2F%2Fplatform.claude.com%2Foauth%2Fcode%2Fcallback`, /to somebody else/],
    [`${PAGE}?redirect_uri=https%3A%2F%2Fplatform.claude.com%2Fother`, /to somebody else/],
    [`${PAGE}?${QUERY}&redirect_uri=https%3A%2F%2Fevil.example%2F`, /more than one/],
    ['no url', /no URL/],
  ]
  for (const [url, why] of refused) assert.match(findUrlProblem(url) ?? 'nothing', why, url)
})
