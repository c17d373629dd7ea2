"""HTML pages with one button, which are the targets of links in emails.

Opening a page has no effect, since the scanners of mail servers open links. When the button is
pressed, the page sends the fragment of its URL: a token or named values.
"""

import json
from html import escape
from string import Template
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import HTMLResponse

from fast_zero.core.http.openapi import restricted
from fast_zero.core.languages import Language, preferred

PAGE = Template("""\
<!doctype html>
<html lang="$language">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
body { font: 1.1rem/1.5 sans-serif; max-width: 30rem; margin: 4rem auto; padding: 0 1rem }
input, button { font: inherit; padding: .5rem; margin: .5rem 0; box-sizing: border-box }
input { width: 100% }
</style>
</head>
<body>
<h1>$title</h1>
<form>$fields<button>$button</button></form>
<p role="status"></p>
<script>
const words = $words
const form = document.querySelector("form")
const status = document.querySelector("p")
form.addEventListener("submit", async event => {
  event.preventDefault()
  const link = location.hash.slice(1)
  const sent = link.includes("=") ? Object.fromEntries(new URLSearchParams(link)) : {token: link}
  const body = JSON.stringify({...sent, ...Object.fromEntries(new FormData(form))})
  const headers = {"Content-Type": "application/json"}
  form.querySelector("button").disabled = true
  let response
  try { response = await fetch("$target", {method: "POST", headers, body}) } catch {}
  form.querySelector("button").disabled = false
  status.textContent = words[response?.status] ?? words.other
  form.hidden = Boolean(response?.ok)
})
</script>
</body>
</html>
""")
USERNAME = Template(
    '<label>$label<input name="username" autocomplete="username" minlength="3" maxlength="64" '
    "required></label>"
)
PASSWORD = Template(
    '<label>$label<input type="password" name="password" autocomplete="new-password" '
    'minlength="8" maxlength="256" required></label>'
)

Chosen = Annotated[Language | None, Query(description="Otherwise, `Accept-Language` says it.")]
Texts = dict[Language, dict[str, str]]
"""For each language: the title, the button, the labels of the username and password fields if the
page has them, and a text for each status of the response."""


def show(texts: Texts, target: str, request: Request, chosen: Language | None) -> HTMLResponse:
    """Render a page. Its target is relative, so that it works behind a proxy with a path prefix.

    Without `chosen`, the language comes from `Accept-Language`.
    """
    language = chosen or preferred(request.headers.get("accept-language", ""))
    words = texts[language]
    fields = [
        template.substitute(label=escape(words[name]))
        for name, template in (("username", USERNAME), ("password", PASSWORD))
        if name in words
    ]
    page = PAGE.substitute(
        language=language,
        title=escape(words["title"]),
        fields="".join(fields),
        button=escape(words["button"]),
        words=json.dumps(words),
        target=target,
    )
    headers = {"Vary": "Accept-Language"}
    return restricted(HTMLResponse(page, headers=headers))
