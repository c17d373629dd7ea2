"""`fast-zero login` and `logout`: what is stored, how, and what the server is left with."""

import json
import os
import ssl
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx2
import pyotp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fast_zero.client import credentials
from fast_zero.client.errors import ClientError
from tests.terminals import PASSWORD, Person, answering

NOT_LOGGED_IN = "error: You are not logged in. Run: fast-zero login URL\n"
NO_LONGER = (
    "error: The server does not accept the token any more. Log in again: fast-zero login URL\n"
)


def session_of(person: Person) -> httpx2.Client:
    """Return a client with a session, which can see sessions and tokens."""
    form = {"username": person.username, "password": PASSWORD}
    token = httpx2.post(f"{person.url}/auth/token", data=form).json()["access_token"]
    return httpx2.Client(base_url=person.url, headers={"Authorization": f"Bearer {token}"})


def test_a_log_in_leaves_one_personal_token_and_no_session(newcomer):
    result = newcomer.call("login", newcomer.url, "-u", newcomer.username, stdin=f"{PASSWORD}\n")

    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    assert result.stderr == f"Logged in to {newcomer.url} as {newcomer.username}.\n"
    with session_of(newcomer) as http:
        [token] = http.get("/auth/tokens").json()["tokens"]
        sessions = http.get("/auth/sessions").json()["sessions"]
    assert token["name"] == f"fast-zero on {os.uname().nodename}"
    assert newcomer.stored["token_id"] == token["id"]
    assert "admin" not in token["scopes"]
    assert len(sessions) == 1  # that of this test
    assert newcomer.ok("list") == ""


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_the_token_is_readable_by_its_owner_alone_whatever_the_umask(newcomer, mask):
    before = os.umask(mask)
    try:
        newcomer.log_in()
    finally:
        os.umask(before)

    assert stat.S_IMODE(newcomer.login_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(newcomer.login_file.parent.stat().st_mode) == 0o700
    assert [path.name for path in newcomer.login_file.parent.iterdir()] == ["login.json"]


def test_the_token_is_never_readable_by_others_for_a_moment(newcomer, monkeypatch):
    modes = []
    replace = type(newcomer.home).replace

    def watched(path, target):
        modes.append((target.name, stat.S_IMODE(path.stat().st_mode)))
        return replace(path, target)

    monkeypatch.setattr(type(newcomer.home), "replace", watched)
    newcomer.log_in()

    assert modes == [("login.json", 0o600)]


def test_a_link_in_the_place_of_the_token_is_replaced(newcomer, tmp_path):
    newcomer.login_file.parent.mkdir()
    target = tmp_path / "target"
    target.write_text("mine")
    newcomer.login_file.symlink_to(target)
    newcomer.log_in()

    assert target.read_text() == "mine"
    assert not newcomer.login_file.is_symlink()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_token_that_others_can_read_is_refused(person, mode):
    person.login_file.chmod(mode)
    result = person.call("list")

    assert result.returncode == 1
    assert f"can read {person.login_file}" in result.stderr
    assert f"chmod 600 {person.login_file}" in result.stderr
    assert person.log_in().ok("list") == ""


@pytest.mark.parametrize("content", ["", "[]", "{", '{"url": "x"}', "\xff", '{"url": 1}'])
def test_a_broken_file_is_refused_and_replaced_by_the_next_log_in(person, content):
    person.login_file.write_bytes(content.encode("latin-1"))
    result = person.call("list")

    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert str(person.login_file) in result.stderr
    person.log_in().ok("list")


def test_without_a_log_in_commands_say_how_to_log_in(newcomer):
    for command in (["list"], ["add", "x"], ["done", "1"], ["edit", "1", "--title", "x"], ["undo"]):
        result = newcomer.call(*command)
        assert (result.returncode, result.stderr) == (1, NOT_LOGGED_IN)
    assert newcomer.call("logout").stderr == NOT_LOGGED_IN
    assert newcomer.call("export").stderr == NOT_LOGGED_IN


def test_log_out_revokes_the_token_and_forgets_it(person):
    token = person.stored["token"]
    assert person.call("logout").stderr == "Logged out. The token is revoked.\n"

    assert list(person.login_file.parent.iterdir()) == []
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx2.get(f"{person.url}/todos", headers=headers).status_code == 401


def test_log_out_keeps_a_token_that_it_cannot_revoke(person):
    stored = person.stored | {"url": "http://127.0.0.1:9"}
    person.login_file.write_text(json.dumps(stored))
    refused = person.call("logout")

    assert refused.returncode == 1
    assert "Cannot reach http://127.0.0.1:9" in refused.stderr
    assert "logout --force" in refused.stderr
    assert person.stored == stored
    assert "not revoked" in person.call("logout", "--force").stderr
    assert not person.login_file.exists()


def test_a_second_log_in_revokes_the_token_of_the_first(person):
    first = person.stored["token"]
    person.log_in()

    headers = {"Authorization": f"Bearer {first}"}
    assert person.stored["token"] != first
    assert httpx2.get(f"{person.url}/todos", headers=headers).status_code == 401


def test_a_first_token_that_cannot_be_revoked_is_reported(person):
    person.login_file.write_text(json.dumps(person.stored | {"url": "http://127.0.0.1:9"}))
    result = person.call("login", person.url, "-u", person.username, stdin=f"{PASSWORD}\n")

    assert result.returncode == 0
    left, logged_in = result.stderr.splitlines()
    assert left.startswith("The token before, for http://127.0.0.1:9, is not revoked: Cannot reach")
    assert logged_in == f"Logged in to {person.url} as {person.username}."


def test_a_revoked_token_is_explained(person):
    with person.http() as http:
        http.delete(f"/auth/tokens/{person.stored['token_id']}").raise_for_status()

    for command in (["list"], ["done", "1", "2"], ["export"]):
        result = person.call(*command)
        assert (result.returncode, result.stderr) == (1, NO_LONGER)
    assert person.call("logout").stderr == "Logged out. The token is revoked.\n"


def test_a_wrong_password_leaves_nothing(newcomer):
    result = newcomer.call("login", newcomer.url, "-u", newcomer.username, stdin="wrong one\n")

    assert (result.returncode, result.stderr) == (1, "error: Incorrect email or password\n")
    assert not newcomer.login_file.exists()


def test_standard_input_that_ends_too_early_is_reported(newcomer):
    login = ("login", newcomer.url)
    assert newcomer.call(*login).stderr == "error: Give the username: --username NAME\n"
    assert "should have a line for: password" in newcomer.call(*login, "-u", "x").stderr


def test_the_second_factor_is_asked_for_in_a_pipe_and_on_a_terminal(newcomer):
    with session_of(newcomer) as http:
        secret = http.post("/auth/otp", json={"current_password": PASSWORD}).json()["secret"]
        code = pyotp.TOTP(secret).now()
        confirmed = http.post("/auth/otp/confirm", json={"code": code}).json()
    first, second, *_ = confirmed["recovery_codes"]
    login = ("login", newcomer.url, "-u", newcomer.username)

    missing = newcomer.call(*login, stdin=f"{PASSWORD}\n")
    assert (missing.returncode, "one-time code" in missing.stderr) == (1, True)
    newcomer.ok(*login, stdin=f"{PASSWORD}\n{first}\n")
    assert newcomer.ok("list") == ""
    shown = newcomer.at_terminal(
        "login",
        newcomer.url,
        dialog=[
            ("Username or email", f"{newcomer.username}\n"),
            ("Password: ", f"{PASSWORD}\n"),
            ("One-time code: ", "000000\n"),
            ("One-time code: ", f"{second}\n"),
        ],
    )
    assert "Logged in to" in shown
    assert PASSWORD not in shown
    assert second not in shown


def test_a_token_made_elsewhere_can_be_used(newcomer):
    expires_at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    with session_of(newcomer) as http:
        new = {"name": "mine", "scopes": ["todos:read"], "expires_at": expires_at}
        token = http.post("/auth/tokens", json=new).json()["token"]

    login = ("login", newcomer.url, "--token")
    assert newcomer.call(*login, stdin="fzp_nonsense\n").stderr == NO_LONGER
    assert newcomer.call(*login, stdin="näh\n").stderr == "error: That is not a token.\n"
    assert "as your account" in newcomer.call(*login, stdin=f"{token}\n").stderr
    assert newcomer.ok("list") == ""
    refused = newcomer.call("done", "1")
    assert "This needs a token with the scope todos:write." in refused.stderr
    assert "not revoked" in newcomer.call("logout").stderr


def test_the_environment_wins_and_leaves_the_stored_log_in_alone(person, newcomer):
    other = Person(person.home.parent / "other", person.url, person.username)
    variables = {"FAST_ZERO_URL": person.url, "FAST_ZERO_TOKEN": person.stored["token"]}
    todo_id = person.create(title="From a script")

    assert "From a script" in other.ok("list", **variables)
    assert other.call("done", str(todo_id), **variables).returncode == 0
    assert not other.home.exists()
    assert "is not known" in other.call("undo", **variables).stderr
    for name, value in variables.items():
        alone = person.call("list", **{name: value})
        assert alone.stderr == (
            "error: Set FAST_ZERO_URL and FAST_ZERO_TOKEN together, or neither of them.\n"
        )


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://todo.example.com/", "https://todo.example.com"),
        ("todo.example.com", "https://todo.example.com"),
        ("todo.example.com:8443/api/", "https://todo.example.com:8443/api"),
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_url_is_completed(given, url):
    assert credentials.normalize(given, allow_http=False) == url


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "ftp://a.example",
            "https://",
            "https://a b",
            "https://u:p@a.example",
            "https://a?x=1",
        ),
        *("https://a:99999", "https://a:0", "https://[::1", "https://a#b", "https://a\x1b[2J"),
    ],
)
def test_what_is_not_the_url_of_a_server_is_refused(url):
    with pytest.raises(ClientError, match="is not the URL of a server"):
        credentials.normalize(url, allow_http=True)


def test_a_password_in_a_url_is_not_repeated():
    with pytest.raises(ClientError, match=r"^That is not the URL of a server"):
        credentials.normalize("https://ana:secret@a.example", allow_http=True)


def test_plain_http_to_another_machine_has_to_be_allowed(newcomer):
    result = newcomer.call("login", "http://192.0.2.1", "-u", "x", stdin="x\n")

    assert (result.returncode, "--allow-http" in result.stderr) == (1, True)
    assert credentials.normalize("http://192.0.2.1", allow_http=True) == "http://192.0.2.1"
    variables = {"FAST_ZERO_URL": "http://192.0.2.1", "FAST_ZERO_TOKEN": "fzp_x"}
    assert "--allow-http" in newcomer.call("list", **variables).stderr


def test_an_invalid_certificate_is_refused(newcomer, tmp_path):
    with tls_server(tmp_path) as url:
        result = newcomer.call("login", url, "-u", "x", stdin="secret\n")

        assert result.returncode == 1
        assert f"The TLS certificate of {url} is not valid: self-signed" in result.stderr
        trusted = newcomer.call(
            "login", url, "-u", "x", stdin="secret\n", SSL_CERT_FILE=str(tmp_path / "cert.pem")
        )
        assert "answered 404, but not as fast_zero does" in trusted.stderr


class tls_server:  # noqa: N801  # used as a function
    """Serve 404 over TLS with a self-signed certificate for 127.0.0.1's name."""

    def __init__(self, folder) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        (folder / "cert.pem").write_bytes(pem)
        (folder / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    def __enter__(self) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # a client that hangs up is the point
        self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True)
        self.thread = Thread(target=self.server.serve_forever)
        self.thread.start()
        return f"https://localhost:{self.server.server_port}"

    def __exit__(self, *_error: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def test_other_servers_are_told_from_ours(newcomer):
    answers = iter(
        [
            (404, {}, b"<h1>Not here</h1>"),
            (200, {}, b"<h1>Welcome</h1>"),
            (308, {"Location": "https://b.example/auth/token"}, b""),
            (403, {}, b"[]"),
            (200, {}, b"[]"),
            (200, {}, b"{}"),
        ]
    )
    with answering(lambda *_: next(answers)) as url:
        for expected in (
            f"{url} answered 404, but not as fast_zero does.",
            f"{url} does not answer as fast_zero does.",
            f"{url} redirects to https://b.example/auth/token. Log in to that one.",
            f"{url} answered 403, but not as fast_zero does.",
            f"{url} does not answer as fast_zero does.",
            f"{url} does not answer as fast_zero does.",
        ):
            result = newcomer.call("login", url, "-u", "x", stdin="secret\n")
            assert (result.returncode, result.stderr) == (1, f"error: {expected}\n")


def test_a_token_that_cannot_be_stored_is_revoked(newcomer, monkeypatch):
    def full(*_arguments: object) -> None:
        raise ClientError("Cannot write login.json: No space left on device.")

    monkeypatch.setattr("fast_zero.client.private_files.write", full)
    result = newcomer.call("login", newcomer.url, "-u", newcomer.username, stdin=f"{PASSWORD}\n")

    assert (result.returncode, "No space left" in result.stderr) == (1, True)
    with session_of(newcomer) as http:
        assert http.get("/auth/tokens").json()["tokens"] == []
        assert len(http.get("/auth/sessions").json()["sessions"]) == 1  # that of this test


def test_a_folder_that_cannot_be_used_is_reported_before_a_token_is_made(newcomer):
    (newcomer.home / "fast-zero").write_text("a file")
    result = newcomer.call("login", newcomer.url, "-u", newcomer.username, stdin=f"{PASSWORD}\n")

    assert (result.returncode, result.stderr.startswith("error: Cannot use ")) == (1, True)
    with session_of(newcomer) as http:
        assert http.get("/auth/tokens").json()["tokens"] == []


def test_two_log_ins_at_once_leave_one_whole_file(newcomer):
    with ThreadPoolExecutor(2) as threads:
        login = ("login", newcomer.url, "-u", newcomer.username)
        futures = [threads.submit(newcomer.run, *login, stdin=f"{PASSWORD}\n") for _ in range(2)]
        assert [future.result().returncode for future in futures] == [0, 0]

    newcomer.ok("list")


def test_the_token_is_not_shown(person):
    token = person.stored["token"]
    with answering(lambda *_: None) as url:
        person.login_file.write_text(json.dumps(person.stored | {"url": url}))
        result = person.call("list")

    assert result.returncode == 1
    assert token not in result.stdout + result.stderr
    assert token not in repr(credentials.Credentials("https://a.example", token))
