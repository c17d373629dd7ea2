"""Settings of the account: general, profile, email address; and its deletion."""

from collections.abc import Mapping
from functools import cache
from zoneinfo import available_timezones

from babel.core import get_global
from babel.dates import get_timezone, get_timezone_location
from fastapi import APIRouter, Response

from fast_zero.accounts import service
from fast_zero.accounts.schemas import MeUpdate
from fast_zero.core.addresses import network
from fast_zero.core.errors import DomainError
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.languages import Language
from fast_zero.email_links import service as email_links
from fast_zero.identity.dependencies import CurrentRevocations, address_of
from fast_zero.quick_add.vocabulary import folded
from fast_zero.web import links
from fast_zero.web.attempts import attempt
from fast_zero.web.dependencies import Fields, NextAddress, UserPage
from fast_zero.web.notices import Notice, fault_of
from fast_zero.web.shell import show, show_errors
from fast_zero.web.texts import locale_of, mark, translations_of

GENERAL = "settings/general.html"
PROFILE = "settings/profile.html"
EMAIL = "settings/email.html"
DELETE = "settings/delete.html"
GENERAL_FIELDS = ("language", "time_zone", "week_starts_on", "theme", "default_reminder_time")
PROFILE_FIELDS = ("username", "display_name", "bio", "share_todos")
CLOCKS = {"12": 12, "24": 24}
REGIONS = {
    "Africa": mark("Africa"),
    "America": mark("America"),
    "Antarctica": mark("Antarctica"),
    "Arctic": mark("Arctic"),
    "Asia": mark("Asia"),
    "Atlantic": mark("Atlantic Ocean"),
    "Australia": mark("Australia"),
    "Europe": mark("Europe"),
    "Indian": mark("Indian Ocean"),
    "Pacific": mark("Pacific Ocean"),
}

Zones = Mapping[str, list[tuple[str, str]]]

router = APIRouter()


@router.get("/app/settings")
async def show_general(page: UserPage, session: CurrentSession) -> Response:
    account = await service.read_account(session, page.reader.id)
    form = page.form(
        {
            **{name: str(getattr(account, name)) for name in GENERAL_FIELDS},
            "clock": str(account.clock),
            "keyboard_shortcuts": "on" if account.keyboard_shortcuts else "",
            "default_reminder_time": f"{account.default_reminder_time:%H:%M}",
        }
    )
    zones = zones_with(account.time_zone, page.reader.language)
    return await show(page, session, GENERAL, form=form, zones=zones, regions=REGIONS)


@router.post("/app/settings")
async def save_general(page: UserPage, fields: Fields, session: CurrentSession) -> Response:
    """Save the settings. The page has its language and colours at once."""
    names = (*GENERAL_FIELDS, "clock", "keyboard_shortcuts")
    form = page.form({name: fields[name] for name in names if name in fields})
    form.require(*GENERAL_FIELDS)
    clock = form.given("clock")
    shortcuts = "keyboard_shortcuts" in fields
    change = form.parse(MeUpdate, clock=CLOCKS.get(clock, clock), keyboard_shortcuts=shortcuts)
    if change is None or form.errors:
        zones = zones_with(page.reader.time_zone, page.reader.language)
        return await show_errors(page, session, GENERAL, form, zones=zones, regions=REGIONS)
    await service.change_account(session, page.reader.ids, change, page.settings)
    return page.redirect("/app/settings", Notice(code="settings_saved"))


@cache
def zones_of(language: Language) -> Zones:
    """Return the time zones of each region, sorted as the language names both.

    Of zones with several names, such as Asia/Calcutta and Asia/Kolkata, the current one is offered.
    """
    locale, gettext = locale_of(language), translations_of(language).gettext
    aliases = get_global("zone_aliases")
    zones: dict[str, list[tuple[str, str]]] = {
        region: []
        for region in sorted(REGIONS, key=lambda region: folded(gettext(REGIONS[region])))
    }
    for name in available_timezones():
        region = name.partition("/")[0]
        if region in REGIONS and aliases.get(name, name) == name:
            city = get_timezone_location(get_timezone(name), locale, return_city=True)
            zones[region].append((name, city))
    for named in zones.values():
        named.sort(key=lambda zone: folded(zone[1]))
    return zones


def zones_with(current: str, language: Language) -> Zones:
    """Return the time zones by region, as value and text, with the current one in any case."""
    canonical = get_global("zone_aliases").get(current, current)
    zones = {
        region: [(current if name == canonical else name, city) for name, city in named]
        for region, named in zones_of(language).items()
    }
    alone = {"UTC": "UTC"}
    if not any(current == name for named in zones.values() for name, _ in named):
        alone[current] = current
    return {"": list(alone.items()), **zones}


@router.get("/app/settings/profile")
async def show_profile(page: UserPage, session: CurrentSession) -> Response:
    account = await service.read_account(session, page.reader.id)
    form = page.form({name: getattr(account, name) for name in PROFILE_FIELDS})
    return await show(page, session, PROFILE, form=form, account=account)


@router.post("/app/settings/profile")
async def save_profile(page: UserPage, fields: Fields, session: CurrentSession) -> Response:
    form = page.form({name: fields[name] for name in PROFILE_FIELDS if name in fields})
    form.require("username")
    # An empty text is sent: it deletes the one before.
    given = {name: form.given(name) for name in ("display_name", "bio")}
    change = form.parse(MeUpdate, **given)
    error = None
    if change is not None and not form.errors:
        done = await attempt(
            session, service.change_account(session, page.reader.ids, change, page.settings)
        )
        if not isinstance(done, DomainError):
            return page.redirect("/app/settings/profile", Notice(code="settings_saved"))
        error = done
    account = await service.read_account(session, page.reader.id)
    return await show_errors(page, session, PROFILE, form, error, account=account)


@router.get("/app/settings/email")
async def show_email(page: UserPage, session: CurrentSession) -> Response:
    account = await service.read_account(session, page.reader.id)
    return await show(page, session, EMAIL, form=page.form(), account=account)


@router.post("/app/settings/email")
async def change_email(page: UserPage, fields: Fields, session: CurrentSession) -> Response:
    """Ask for another address. It is in force when the link that is sent to it was followed."""
    form = page.form({name: fields.get(name, "") for name in ("email", "current_password")})
    form.require("email", "current_password")
    change = None if form.errors else form.parse(MeUpdate)
    error = None
    if change is not None:
        done = await attempt(
            session, service.change_account(session, page.reader.ids, change, page.settings)
        )
        if not isinstance(done, DomainError):
            asked = done[0].pending_email is not None
            notice = Notice(code="email_asked" if asked else "email_kept")
            return page.redirect("/app/settings/profile", notice)
        error = done
    account = await service.read_account(session, page.reader.id)
    return await show_errors(page, session, EMAIL, form, error, account=account)


@router.post("/app/settings/email/cancel")
async def cancel_email(page: UserPage, session: CurrentSession) -> Response:
    """Keep the address. The link to the other one does nothing from now on."""
    account = await service.read_account(session, page.reader.id)
    change = MeUpdate.model_construct(email=account.email)
    await service.change_account(session, page.reader.ids, change, page.settings)
    return page.redirect("/app/settings/profile", Notice(code="email_kept"))


@router.post("/app/settings/email/verification")
async def send_verification(
    page: UserPage, address: NextAddress, session: CurrentSession
) -> Response:
    """Send another link to confirm the address."""
    requester = network(address_of(page.request))
    work = email_links.request_verification(session, page.settings, page.reader.id, requester)
    done = await attempt(session, work)
    notice = fault_of(done) if isinstance(done, DomainError) else Notice(code="verification_sent")
    return page.redirect(address, notice)


@router.get("/app/settings/delete")
async def show_deletion(page: UserPage, session: CurrentSession) -> Response:
    return await show(page, session, DELETE, form=page.form())


@router.post("/app/settings/delete")
async def delete_account(
    page: UserPage, fields: Fields, session: CurrentSession, revocations: CurrentRevocations
) -> Response:
    """Delete the account, at once and for good."""
    form = page.form({"current_password": fields.get("current_password", "")})
    form.require("current_password")
    if form.errors:
        return await show_errors(page, session, DELETE, form)
    password = form.given("current_password")
    work = service.delete_account_with_password(session, page.settings, page.reader.ids, password)
    done = await attempt(session, work)
    if isinstance(done, DomainError):
        return await show_errors(page, session, DELETE, form, done)
    revocations.add_at_commit(session, page.reader.session_id)
    response = page.redirect(links.LOG_IN, Notice(code="account_deleted"))
    page.log_out(response)
    return response
