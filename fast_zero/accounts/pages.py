"""The two pages that the links in letters open.

A page that is only opened does nothing, since the scanners of mail servers open links. It sends
the token, which is in the fragment of its address, when its button is pressed.
"""

import json
from html import escape
from string import Template
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from fast_zero.core.languages import Language, preferred
from fast_zero.core.openapi import restricted

router = APIRouter(prefix="/account", include_in_schema=False)

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
  const token = location.hash.slice(1)
  const body = JSON.stringify({token, ...Object.fromEntries(new FormData(form))})
  const headers = {"Content-Type": "application/json"}
  form.querySelector("button").disabled = true
  let answer
  try { answer = await fetch("$target", {method: "POST", headers, body}) } catch {}
  form.querySelector("button").disabled = false
  status.textContent = words[answer?.status] ?? words.other
  form.hidden = Boolean(answer?.ok)
})
</script>
</body>
</html>
""")
FIELDS = Template(
    '<label>$label<input type="password" name="password" autocomplete="new-password" '
    'minlength="8" maxlength="256" required></label>'
)
# Beside title and button: what is said to each status of the answer.
CONFIRM: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Confirm your e-mail address",
        "button": "Confirm",
        "204": "Your address is confirmed. You can close this page.",
        "404": "This link was used, has expired, or was followed by a newer one.",
        "409": "Somebody else has this address by now.",
        "other": "That did not work. Try again in a moment.",
    },
    "pt-BR": {
        "title": "Confirme seu endereço de e-mail",
        "button": "Confirmar",
        "204": "Seu endereço está confirmado. Você pode fechar esta página.",
        "404": "Este link já foi usado, venceu ou foi seguido por um mais novo.",
        "409": "Outra pessoa já tem este endereço.",
        "other": "Não funcionou. Tente de novo daqui a pouco.",
    },
}
PASSWORD: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Choose a new password",
        "label": "New password",
        "button": "Save",
        "204": "Your password is changed. Log in with it from now on.",
        "404": "This link was used, has expired, or was followed by a newer one.",
        "422": "This password is too short, or one of the most common ones. Choose another.",
        "other": "That did not work. Try again in a moment.",
    },
    "pt-BR": {
        "title": "Escolha uma nova senha",
        "label": "Nova senha",
        "button": "Salvar",
        "204": "Sua senha mudou. Entre com ela de agora em diante.",
        "404": "Este link já foi usado, venceu ou foi seguido por um mais novo.",
        "422": "Esta senha é curta demais ou uma das mais comuns. Escolha outra.",
        "other": "Não funcionou. Tente de novo daqui a pouco.",
    },
}

Chosen = Annotated[Language | None, Query()]


@router.get("/confirm")
async def confirm_page(request: Request, lang: Chosen = None) -> HTMLResponse:
    return show(CONFIRM, "../auth/email/confirm", language_of(request, lang))


@router.get("/password")
async def password_page(request: Request, lang: Chosen = None) -> HTMLResponse:
    return show(PASSWORD, "../auth/password/reset", language_of(request, lang))


def language_of(request: Request, chosen: Language | None) -> Language:
    return chosen or preferred(request.headers.get("accept-language", ""))


def show(texts: dict[Language, dict[str, str]], target: str, language: Language) -> HTMLResponse:
    """Put a page together. Its target is relative, so that a proxy may add a path in front."""
    words = texts[language]
    label = words.get("label")
    page = PAGE.substitute(
        language=language,
        title=escape(words["title"]),
        fields=FIELDS.substitute(label=escape(label)) if label else "",
        button=escape(words["button"]),
        words=json.dumps(words),
        target=target,
    )
    headers = {"Vary": "Accept-Language"}
    return restricted(HTMLResponse(page, headers=headers))
