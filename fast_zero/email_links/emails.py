"""The emails about an account, in each language.

They contain no text that users enter: a stranger may register with somebody else's address and any
username, so the server would send what others wrote.
"""

from enum import StrEnum
from string import Template
from urllib.parse import urlencode

from fast_zero.core.email import template
from fast_zero.core.email.sending import OutgoingEmail
from fast_zero.core.email.template import Recipient
from fast_zero.email_links.models import Purpose


class Notice(StrEnum):
    """An email that reports a change and needs no action."""

    ADDRESS_ASKED = "address_asked"
    ADDRESS_CHANGED = "address_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # a word, not a password


INVITATION = "invitation"
PAGES = {
    Purpose.VERIFICATION: "confirm",
    Purpose.ADDRESS: "confirm",
    Purpose.PASSWORD: "password",
}
# The subject, then the paragraphs. Line breaks within a paragraph are not part of the text.
TEXTS: dict[str, dict[str, str]] = {
    "en": {
        Purpose.VERIFICATION: """
Confirm your email address

An account at $server was given this email address. If the account is yours, confirm that
the address is, too:

$link

The link works once, for a day. If the account is not yours, do nothing.
""",
        Purpose.ADDRESS: """
Confirm your new email address

Your account at $server shall have this email address from now on. Confirm that it is
yours:

$link

The link works once, for a day. It ends all sessions: you log in again afterwards. If you
did not ask for it, do nothing.
""",
        Purpose.PASSWORD: """
Choose a new password

Somebody, probably you, forgot the password of your account at $server. Choose a new one:

$link

The link works once, for an hour. If you did not ask for it, do nothing: your password
stays as it is.
""",
        Notice.ADDRESS_ASKED: """
Your email address is about to change

Somebody who knows the password of your account at $server asked for another email
address. It changes when the new one is confirmed.

If it was not you, log in and change your password. That also stops the change.
""",
        Notice.ADDRESS_CHANGED: """
Your email address was changed

Your account at $server has another email address now, and all its sessions have ended.
Nothing more about it will be sent to this one.

If it was not you, write to whoever runs the server.
""",
        Notice.PASSWORD_CHANGED: """
Your password was changed

The password of your account at $server was changed, and all sessions have ended.

If it was not you, ask for a new password at once, with this address, and look through
your personal tokens.
""",
        INVITATION: """
You are invited to register

Whoever runs $server invites you to register there with this email address. Choose a
username and a password:

$link

The link works once, for a week. If you do not want an account, do nothing.
""",
    },
    "pt-BR": {
        Purpose.VERIFICATION: """
Confirme seu endereço de e-mail

Uma conta em $server recebeu este endereço de e-mail. Se a conta é sua, confirme que o
endereço também é:

$link

O link funciona uma vez, por um dia. Se a conta não é sua, não faça nada.
""",
        Purpose.ADDRESS: """
Confirme seu novo endereço de e-mail

Sua conta em $server passará a ter este endereço de e-mail. Confirme que ele é seu:

$link

O link funciona uma vez, por um dia. Ele encerra todas as sessões: depois, entre de novo.
Se você não pediu isto, não faça nada.
""",
        Purpose.PASSWORD: """
Escolha uma nova senha

Alguém, provavelmente você, esqueceu a senha da sua conta em $server. Escolha uma nova:

$link

O link funciona uma vez, por uma hora. Se você não pediu isto, não faça nada: sua senha
continua a mesma.
""",
        Notice.ADDRESS_ASKED: """
Seu endereço de e-mail está para mudar

Alguém que sabe a senha da sua conta em $server pediu outro endereço de e-mail. Ele muda
quando o novo for confirmado.

Se não foi você, entre e troque sua senha. Isso também impede a mudança.
""",
        Notice.ADDRESS_CHANGED: """
Seu endereço de e-mail mudou

Sua conta em $server agora tem outro endereço de e-mail, e todas as sessões foram
encerradas. Nada mais sobre ela será enviado a este.

Se não foi você, escreva a quem cuida do servidor.
""",
        Notice.PASSWORD_CHANGED: """
Sua senha mudou

A senha da sua conta em $server mudou, e todas as sessões foram encerradas.

Se não foi você, peça já uma nova senha, com este endereço, e confira seus tokens
pessoais.
""",
        INVITATION: """
Você recebeu um convite para se cadastrar

Quem cuida de $server convida você a se cadastrar com este endereço de e-mail. Escolha um
nome de usuário e uma senha:

$link

O link funciona uma vez, por uma semana. Se você não quer uma conta, não faça nada.
""",
    },
}


def with_link(
    purpose: Purpose, to: Recipient, *, server: str, token: str, message_id: str
) -> OutgoingEmail:
    # A fragment is not sent to a server, so the token appears in no log and no Referer header.
    link = f"{server}/account/{PAGES[purpose]}?lang={to.language}#{token}"
    return write(purpose, to, server=server, link=link, message_id=message_id)


def invitation(to: Recipient, *, server: str, token: str, message_id: str) -> OutgoingEmail:
    fragment = urlencode({"invitation": token, "email": to.address})
    link = f"{server}/account/register?lang={to.language}#{fragment}"
    return write(INVITATION, to, server=server, link=link, message_id=message_id)


def notice(about: Notice, to: Recipient, *, server: str, message_id: str) -> OutgoingEmail:
    return write(about, to, server=server, link="", message_id=message_id)


def write(about: str, to: Recipient, *, server: str, link: str, message_id: str) -> OutgoingEmail:
    paragraphs = [" ".join(text.split()) for text in TEXTS[to.language][about].split("\n\n")]
    subject, *filled = (Template(text).substitute(server=server, link=link) for text in paragraphs)
    return template.write(filled, to, subject, message_id=message_id, link=link)
