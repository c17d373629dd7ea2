"""A day in three zones: a real mailbox and a real push service, minute by minute."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from freezegun import freeze_time
from pydantic import SecretStr

from tests.core.mailbox import receiving
from tests.push import push_service
from tests.push.push_service import Browser

DAY = date(2031, 3, 30)  # when clocks change in Lisbon, at 1:00
ZONES = ("America/Sao_Paulo", "Europe/Lisbon", "Australia/Lord_Howe")
MINUTE = timedelta(minutes=1)
DIGEST, REMINDER = time(7, 30), time(8, 30)


def moment(zone: str, local: time) -> datetime:
    return datetime.combine(DAY, local, ZoneInfo(zone)).astimezone(UTC)


async def test_all_arrive_at_their_minute_in_three_zones(
    client, bearer, subscriber, create, run_at, do_jobs
):
    async with receiving() as mailbox, push_service.running() as service:
        reach = {
            "smtp_url": SecretStr(mailbox.url),
            "push_private_networks": True,
        }
        client.state["settings"] = client.state["settings"].model_copy(update=reach)
        owners = {zone: await subscriber(time_zone=zone) for zone in ZONES}
        for owner in owners.values():
            headers, browser = bearer(owner), Browser(service.origin).subscription()
            await client.post("/users/me/push-subscriptions", json=browser, headers=headers)
            await client.patch(
                "/users/me", json={"digest_time": f"{DIGEST:%H:%M}"}, headers=headers
            )
            await create(owner, due_on=f"{DAY}", reminders=[{"minutes_before": 30}])

        async def arrived_at(now: datetime) -> list[tuple[str, str]]:
            await run_at(now)
            with freeze_time(now, real_asyncio=True):
                await do_jobs(**reach)
            emails = [(one["To"], one["Subject"].partition(" ")[0]) for one in mailbox.emails]
            pushes = ["push" for _ in service.received]
            mailbox.emails.clear()
            service.received.clear()
            return [*emails, *pushes]

        # The database made the digests due in the year of the test.
        await arrived_at(datetime.combine(DAY - timedelta(days=2), time(), UTC))
        for zone, owner in sorted(owners.items(), key=lambda pair: moment(pair[0], DIGEST)):
            for local, expected in (
                (DIGEST, [(owner.email, "Today")]),
                (REMINDER, [(owner.email, "Reminder:"), "push"]),
            ):
                assert await arrived_at(moment(zone, local) - MINUTE) == []
                assert await arrived_at(moment(zone, local)) == expected
