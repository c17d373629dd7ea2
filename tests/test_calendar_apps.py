"""A calendar app shows the feed of a running server.

`scripts/install-clients` installs it. Without it, the test is skipped.
"""

import shutil
import subprocess
from pathlib import Path

import httpx2
import pytest

from tests.processes import serving, unmeasured

CLIENTS = Path(__file__).with_name("clients")
KHAL = CLIENTS / ".venv/bin/khal"
NOT_INSTALLED = "khal is not installed: run scripts/install-clients"
ACCOUNT = {"username": "ana", "email": "ana@example.com", "password": "a fine long sentence"}
TODOS = (
    {"title": "Buy bread; dark, with seeds", "due_on": "2026-12-04"},
    {
        "title": "Dentist",
        "due_at": "2026-12-05T14:00:00Z",
        "time_zone": "America/Sao_Paulo",
        "duration_minutes": 45,
    },
    {"title": "Water plants", "due_on": "2026-12-07", "recurrence": {"rule": "FREQ=WEEKLY"}},
    {
        "title": "Call Berlin",
        "due_at": "2026-12-08T12:00:00Z",
        "time_zone": "Europe/Berlin",
        "recurrence": {"rule": "FREQ=DAILY;UNTIL=20261209"},
    },
)
SHOWN = """\
2026-12-04
 Buy bread; dark, with seeds
2026-12-05
11:00-11:45 Dentist
2026-12-07
 Water plants
2026-12-08
09:00-09:30 Call Berlin
2026-12-09
09:00-09:30 Call Berlin
2026-12-14
 Water plants
"""


@pytest.mark.skipif(not KHAL.exists(), reason=NOT_INSTALLED)
def test_khal_shows_the_feed(data_dir, tmp_path):
    with serving(data_dir) as server, httpx2.Client(base_url=server.url) as client:
        client.post("/users", json=ACCOUNT).raise_for_status()
        form = {"username": "ana", "password": ACCOUNT["password"]}
        token = client.post("/auth/token", data=form).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        for todo in TODOS:
            client.post("/todos", json=todo).raise_for_status()
        url = client.put("/users/me/calendar-feed").json()["url"]
        (tmp_path / "feed.ics").write_bytes(httpx2.get(url).content)

    shutil.copy(CLIENTS / "khal.conf", tmp_path / "config")
    (tmp_path / "calendar").mkdir()
    khal(tmp_path, "import", "--batch", "feed.ics")
    shown = khal(
        tmp_path, "list", "--day-format", "{date}", "--format", "{start-end-time-style} {title}",
        "2026-12-01", "20d",
    )  # fmt: skip

    assert [line.rstrip() for line in shown.splitlines()] == SHOWN.splitlines()


def khal(folder: Path, *arguments: str) -> str:
    folders = {name: str(folder / name) for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME")}
    result = subprocess.run(
        [KHAL, "--config", "config", *arguments],
        cwd=folder,
        env=unmeasured() | folders,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
