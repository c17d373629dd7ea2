import asyncio
import logging

import pytest
from sqlalchemy import func, make_url, select

from fast_zero.core.database import in_use, listener
from fast_zero.core.database.listener import NotDirectError, listening
from tests.core.expect import comes_true

CLOSED = make_url("postgresql+psycopg://ana:s3cr3t@127.0.0.1:1/todos")


class Ear:
    """Record the calls of a listener."""

    def __init__(self) -> None:
        self.begun = self.ended = 0
        self.heard: list[str] = []
        self.process = 0

    async def begin(self, connection) -> None:
        self.process = connection.info.backend_pid
        self.begun += 1

    def hear(self, payload: str) -> None:
        self.heard.append(payload)
        if payload == "nonsense":
            raise ValueError(payload)

    def end(self) -> None:
        self.ended += 1


@pytest.fixture
def ear():
    return Ear()


@pytest.fixture
def listen(settings, ear):
    def listen(url=None):
        url = url or settings.database_address()
        return listening(
            url, "test_channel", on_connect=ear.begin, on_notify=ear.hear, on_disconnect=ear.end
        )

    return listen


@pytest.fixture
def notify(engine):
    async def notify(payload: str) -> None:
        async with engine.begin() as connection:
            await connection.execute(select(func.pg_notify("test_channel", payload)))

    return notify


async def test_notifications_are_received_in_order(listen, ear, notify):
    async with listen():
        await comes_true(lambda: ear.begun == 1)
        for number in range(20):
            await notify(str(number))
        await comes_true(lambda: len(ear.heard) == 20)

    assert ear.heard == [str(number) for number in range(20)]
    assert (ear.begun, ear.ended) == (1, 1)


async def test_a_connection_that_was_killed_is_replaced(listen, ear, notify, engine):
    async with listen():
        await comes_true(lambda: ear.begun == 1)
        async with engine.connect() as other:
            assert await other.scalar(select(func.pg_terminate_backend(ear.process, 5000)))
        await comes_true(lambda: ear.ended == 1)
        await comes_true(lambda: ear.begun == 2)
        await notify("after")
        await comes_true(lambda: ear.heard == ["after"])


async def test_the_database_is_in_use_while_it_listens_and_not_while_a_backup_is_restored(
    listen, ear, engine, monkeypatch
):
    monkeypatch.setattr(listener, "RETRY_SECONDS", 0)
    taken = select(func.pg_try_advisory_xact_lock(in_use.LOCK))
    async with engine.connect() as restoration:
        await restoration.execute(select(func.pg_advisory_xact_lock(in_use.LOCK)))
        async with listen():
            await comes_true(lambda: ear.ended > 1)
            assert ear.begun == 0
            await restoration.commit()
            await comes_true(lambda: ear.begun == 1)
            assert not await restoration.scalar(taken)


async def test_an_invalid_payload_does_not_stop_the_listener(listen, ear, notify):
    async with listen():
        await comes_true(lambda: ear.begun == 1)
        await notify("nonsense")
        await comes_true(lambda: ear.begun == 2)
        await notify("sense")
        await comes_true(lambda: "sense" in ear.heard)


async def test_missed_notifications_are_read_periodically(listen, ear, monkeypatch, notify):
    monkeypatch.setattr(listener, "REFRESH_SECONDS", 0)
    async with listen():
        await comes_true(lambda: ear.begun >= 3)
        await notify("heard")
        await comes_true(lambda: ear.heard == ["heard"])
        assert ear.ended == 0


async def test_an_outage_is_logged_once_and_does_not_block(listen, ear, monkeypatch, caplog):
    monkeypatch.setattr(listener, "RETRY_SECONDS", 0)
    caplog.set_level(logging.INFO)
    async with listen(CLOSED):
        await comes_true(lambda: ear.ended == 3)

    assert ear.begun == 0
    assert len(caplog.records) == 1
    assert caplog.text.count("not listening to test_channel: ") == 1
    assert "s3cr3t" not in caplog.text


async def test_stopping_the_listener_does_not_wait(listen, ear):
    """It does not wait while connecting, in a callback, or while listening."""
    for turns in range(30):
        async with asyncio.timeout(5), listen():
            for _ in range(turns):
                await asyncio.sleep(0)


def test_a_pooler_is_recognized_by_its_made_up_process_id():
    listener.refuse_pooler(7, (7,))

    with pytest.raises(NotDirectError, match="leads to a pooler"):
        listener.refuse_pooler(7, (8,))
