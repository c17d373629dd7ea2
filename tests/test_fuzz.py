"""Schemathesis, with all of its checks, on a server that is started as a user starts it."""

import subprocess
import sys
from pathlib import Path

import httpx2

from tests.processes import serving, unmeasured

ACCOUNT = {"username": "ana", "email": "ana@example.com", "password": "a fine long sentence"}
LIMITS = (
    "LOGIN_FAILURES",
    "LOGIN_FAILURES_PER_ADDRESS",
    "REGISTRATIONS_PER_HOUR",
    "LETTERS_PER_HOUR",
    "LETTERS_PER_HOUR_PER_ADDRESS",
)
EXAMPLES = 5  # for each operation in each phase; the coverage phase adds many of its own


def test_the_server_conforms_to_its_openapi_document(data_dir, tmp_path):
    with serving(data_dir, **dict.fromkeys(LIMITS, "off")) as server:
        httpx2.post(f"{server.url}/users", json=ACCOUNT).raise_for_status()
        form = {"username": "ana", "password": ACCOUNT["password"]}
        token = httpx2.post(f"{server.url}/auth/token", data=form).json()["access_token"]

        result = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"),
                f"--config-file={Path(__file__).with_name('schemathesis.toml')}",
                "run",
                f"{server.url}/openapi.json",
                f"--header=Authorization: Bearer {token}",
                f"--max-examples={EXAMPLES}",
                "--warnings=off",
            ],
            cwd=tmp_path,
            env=unmeasured(),
            capture_output=True,
            text=True,
            check=False,
        )

        assert result.returncode == 0, result.stdout + result.stderr
        assert "Traceback" not in server.log.read_text()
