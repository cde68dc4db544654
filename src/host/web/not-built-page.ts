/** What stands in the place of the app until there is one. */
export const NOT_BUILT_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="dark light">
<meta name="viewport" content="width=device-width">
<title>hyperhive</title>
<h1>The dashboard is not built</h1>
<p>The hive runs, and this is its server. In a checkout the app is built by</p>
<pre>npm run build</pre>
<p>and is here at the next reload. Until then the command line does everything: <code>hive status</code>, <code>hive --help</code>.</p>
</html>
`
