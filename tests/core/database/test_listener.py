import asyncio
import logging

import pytest
from sqlalchemy import func, make_url, select

from fast_zero.core.database import in_use, listener
from fast_zero.core.database.listener import NotDirectError, listening
from tests.core.expect import wait_until

CLOSED = make_url("postgresql+psycopg://ana:s3cr3t@127.0.0.1:1/todos")


class Recorder:
    """Record the calls of a listener."""

    def __init__(self) -> None:
        self.connects = self.disconnects = 0
        self.payloads: list[str] = []
        self.process = 0

    async def on_connect(self, connection) -> None:
        self.process = connection.info.backend_pid
        self.connects += 1

    def on_notify(self, payload: str) -> None:
        self.payloads.append(payload)
        if payload == "nonsense":
            raise ValueError(payload)

    def on_disconnect(self) -> None:
        self.disconnects += 1


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def listen(settings, recorder):
    def listen(url=None):
        url = url or settings.database_address()
        return listening(
            url,
            "test_channel",
            on_connect=recorder.on_connect,
            on_notify=recorder.on_notify,
            on_disconnect=recorder.on_disconnect,
        )

    return listen


@pytest.fixture
def notify(engine):
    async def notify(payload: str) -> None:
        async with engine.begin() as connection:
            await connection.execute(select(func.pg_notify("test_channel", payload)))

    return notify


async def test_notifications_are_received_in_order(listen, recorder, notify):
    async with listen():
        await wait_until(lambda: recorder.connects == 1)
        for number in range(20):
            await notify(str(number))
        await wait_until(lambda: len(recorder.payloads) == 20)

    assert recorder.payloads == [str(number) for number in range(20)]
    assert (recorder.connects, recorder.disconnects) == (1, 1)


async def test_a_connection_that_was_killed_is_replaced(listen, recorder, notify, engine):
    async with listen():
        await wait_until(lambda: recorder.connects == 1)
        async with engine.connect() as other:
            assert await other.scalar(select(func.pg_terminate_backend(recorder.process, 5000)))
        await wait_until(lambda: recorder.disconnects == 1)
        await wait_until(lambda: recorder.connects == 2)
        await notify("after")
        await wait_until(lambda: recorder.payloads == ["after"])


async def test_the_listener_waits_for_a_restore_and_then_prevents_another(
    listen, recorder, engine, monkeypatch
):
    monkeypatch.setattr(listener, "RETRY_SECONDS", 0)
    try_lock = select(func.pg_try_advisory_xact_lock(in_use.LOCK))
    async with engine.connect() as restore:
        await restore.execute(select(func.pg_advisory_xact_lock(in_use.LOCK)))
        async with listen():
            await wait_until(lambda: recorder.disconnects > 1)
            assert recorder.connects == 0
            await restore.commit()
            await wait_until(lambda: recorder.connects == 1)
            assert not await restore.scalar(try_lock)


async def test_an_invalid_payload_does_not_stop_the_listener(listen, recorder, notify):
    async with listen():
        await wait_until(lambda: recorder.connects == 1)
        await notify("nonsense")
        await wait_until(lambda: recorder.connects == 2)
        await notify("sense")
        await wait_until(lambda: "sense" in recorder.payloads)


async def test_the_listener_refreshes_periodically_for_missed_notifications(
    listen, recorder, monkeypatch, notify
):
    monkeypatch.setattr(listener, "REFRESH_SECONDS", 0)
    async with listen():
        await wait_until(lambda: recorder.connects >= 3)
        await notify("missed")
        await wait_until(lambda: recorder.payloads == ["missed"])
        assert recorder.disconnects == 0


async def test_an_outage_is_logged_once_and_does_not_block(listen, recorder, monkeypatch, caplog):
    monkeypatch.setattr(listener, "RETRY_SECONDS", 0)
    caplog.set_level(logging.INFO)
    async with listen(CLOSED):
        await wait_until(lambda: recorder.disconnects == 3)

    assert recorder.connects == 0
    assert len(caplog.records) == 1
    assert caplog.text.count("not listening to test_channel: ") == 1
    assert "s3cr3t" not in caplog.text


async def test_stopping_the_listener_does_not_wait(listen, recorder):
    """It does not wait while connecting, in a callback, or while listening."""
    for turns in range(30):
        async with asyncio.timeout(5), listen():
            for _ in range(turns):
                await asyncio.sleep(0)


def test_a_pooler_is_detected_by_its_invented_process_id():
    listener.refuse_pooler(7, (7,))

    with pytest.raises(NotDirectError, match="leads to a pooler"):
        listener.refuse_pooler(7, (8,))
