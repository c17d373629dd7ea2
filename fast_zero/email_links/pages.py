"""The pages that the links in emails open."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from fast_zero.core.http.pages import Chosen, Texts, show

router = APIRouter(prefix="/account", include_in_schema=False)

CONFIRM: Texts = {
    "en": {
        "title": "Confirm your email address",
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
PASSWORD: Texts = {
    "en": {
        "title": "Choose a new password",
        "password": "New password",
        "button": "Save",
        "204": "Your password is changed. Log in with it from now on.",
        "404": "This link was used, has expired, or was followed by a newer one.",
        "422": "This password is too short, or one of the most common ones. Choose another.",
        "other": "That did not work. Try again in a moment.",
    },
    "pt-BR": {
        "title": "Escolha uma nova senha",
        "password": "Nova senha",
        "button": "Salvar",
        "204": "Sua senha mudou. Entre com ela de agora em diante.",
        "404": "Este link já foi usado, venceu ou foi seguido por um mais novo.",
        "422": "Esta senha é curta demais ou uma das mais comuns. Escolha outra.",
        "other": "Não funcionou. Tente de novo daqui a pouco.",
    },
}

REGISTER: Texts = {
    "en": {
        "title": "Create your account",
        "username": "Username",
        "password": "Password",
        "button": "Register",
        "201": "Your account is ready, and your address is confirmed. Log in from now on.",
        "403": "This invitation was used, has expired, was revoked or followed by a newer one.",
        "409": "This username is taken, or your address has an account already.",
        "422": "This username cannot be used, or the password is too short or too common.",
        "429": "There were too many attempts. Try again later.",
        "other": "That did not work. Try again in a moment.",
    },
    "pt-BR": {
        "title": "Crie sua conta",
        "username": "Nome de usuário",
        "password": "Senha",
        "button": "Cadastrar",
        "201": "Sua conta está pronta e seu endereço está confirmado. Entre de agora em diante.",
        "403": "Este convite já foi usado, venceu, foi revogado ou foi seguido por um mais novo.",
        "409": "Este nome de usuário já existe, ou seu endereço já tem uma conta.",
        "422": "Este nome de usuário não serve, ou a senha é curta ou comum demais.",
        "429": "Foram tentativas demais. Tente de novo mais tarde.",
        "other": "Não funcionou. Tente de novo daqui a pouco.",
    },
}


@router.get("/confirm")
async def confirm_page(request: Request, lang: Chosen = None) -> HTMLResponse:
    return show(CONFIRM, "../auth/email/confirm", request, lang)


@router.get("/password")
async def password_page(request: Request, lang: Chosen = None) -> HTMLResponse:
    return show(PASSWORD, "../auth/password/reset", request, lang)


@router.get("/register")
async def register_page(request: Request, lang: Chosen = None) -> HTMLResponse:
    return show(REGISTER, "../users", request, lang)
