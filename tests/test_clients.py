"""Clients that are generated from the OpenAPI document, with a running server.

`scripts/install-clients` installs the generators. Without them, the tests are skipped.
"""

import shutil
import subprocess
from pathlib import Path

import httpx2
import pytest

from tests.processes import serving, unmeasured

CLIENTS = Path(__file__).with_name("clients")
PYTHON = CLIENTS / ".venv/bin/python"
PROGRAMS = CLIENTS / "node_modules/.bin"
NOT_INSTALLED = "the generators are not installed: run scripts/install-clients"


def run(*command: str | Path, cwd: Path) -> str:
    result = subprocess.run(
        command, cwd=cwd, env=unmeasured(), capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def write_document(url: str, folder: Path) -> None:
    (folder / "openapi.json").write_bytes(httpx2.get(f"{url}/openapi.json").content)


@pytest.mark.skipif(not PYTHON.exists(), reason=NOT_INSTALLED)
def test_a_generated_python_client_works(data_dir, tmp_path):
    with serving(data_dir) as server:
        write_document(server.url, tmp_path)
        generated = run(
            PYTHON.with_name("openapi-python-client"),
            "generate",
            "--path=openapi.json",
            "--meta=none",
            "--output-path=fast_zero_client",
            f"--config={CLIENTS / 'openapi-python-client.yml'}",
            cwd=tmp_path,
        )
        shutil.copy(CLIENTS / "use.py", tmp_path)
        run(PYTHON, "use.py", server.url, cwd=tmp_path)

    # Only the Atom feed, which is not JSON, is left out.
    assert generated.count("Unsupported content_type application/atom+xml") == 1
    assert generated.count("WARNING") == 1


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
@pytest.mark.skipif(not PROGRAMS.exists(), reason=NOT_INSTALLED)
def test_a_generated_typescript_client_works(data_dir, tmp_path):
    for name in ("package.json", "tsconfig.json", "use.ts"):
        shutil.copy(CLIENTS / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(CLIENTS / "node_modules")

    with serving(data_dir) as server:
        write_document(server.url, tmp_path)
        # Without the option, a field with a default would be required.
        run(
            PROGRAMS / "openapi-typescript",
            "openapi.json",
            "--output=api.d.ts",
            "--default-non-nullable=false",
            cwd=tmp_path,
        )
        run(PROGRAMS / "tsc", cwd=tmp_path)
        run("node", "use.js", server.url, cwd=tmp_path)
