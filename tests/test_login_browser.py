"""A login as a reader meets it: an OpenID Connect provider on this machine, the dashboard, and Chromium.

The provider is as small as the protocol allows and lets in whoever it is told to; what it proves is that nothing is
shown before a login, that `st.login` works with what we configure, and that a stranger's account does not enter.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import driver
import pytest
from joserfc import jwk, jwt
from playwright.sync_api import Page, expect
from test_access import LOGIN, write_secrets

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

KEY = jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})


class Provider(BaseHTTPRequestHandler):
    """Sends everybody straight back, as the person whom ``server.email`` names."""

    nonces: dict[str, str] = {}  # noqa: RUF012

    def do_GET(self) -> None:
        here, path, asked = (
            f"http://{self.headers['Host']}",
            urlsplit(self.path).path,
            parse_qs(urlsplit(self.path).query),
        )
        if path == "/authorize":
            self.nonces["code"] = asked["nonce"][0]
            self.send_response(302)
            back = urlencode({"code": "code", "state": asked["state"][0]})
            self.send_header("Location", f"{asked['redirect_uri'][0]}?{back}")
            self.end_headers()
        elif path == "/keys":
            self.answer({"keys": [KEY.as_dict(private=False)]})
        else:
            ways = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            self.answer(
                {"issuer": here, "id_token_signing_alg_values_supported": ["RS256"]}
                | {name: f"{here}/{way}" for name, way in ways.items()}
            )

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        now = int(time.time())
        claims = {"iss": f"http://{self.headers['Host']}", "sub": "1", "aud": LOGIN["client_id"], "iat": now}
        claims |= {"exp": now + 300, "nonce": self.nonces["code"], "email": self.server.email, "email_verified": True}
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY)
        self.answer({"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": token})

    def answer(self, held: dict[str, object]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(held).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def provider() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def test_nothing_is_shown_before_a_login_and_only_named_people_enter(tmp_path: Path):
    port = driver.free_port()
    with provider() as issuer:
        own = {
            "redirect_uri": f"http://127.0.0.1:{port}/oauth2callback",
            "server_metadata_url": f"http://127.0.0.1:{issuer.server_port}/.well-known/openid-configuration",
        }
        write_secrets(tmp_path, {"auth": LOGIN | own, "ecgviz": {"allowed": ["reader@hospital.example"]}})
        with driver.dashboard(tmp_path, port) as address, driver.chromium() as browser:
            page = browser.new_page()
            page.goto(f"{address}/?record=demo:inferior_stemi")
            assert_nothing_but(page, "Log in")

            issuer.email = "other@hospital.example"
            page.get_by_role("button", name="Log in").click()
            expect(page.get_by_text("not among those that may use this server")).to_be_visible(
                timeout=driver.PATIENCE_MS
            )
            assert_nothing_but(page, "Log out")
            page.get_by_role("button", name="Log out").click()

            issuer.email = "reader@hospital.example"
            page.get_by_role("button", name="Log in").click(timeout=driver.PATIENCE_MS)
            page.get_by_role("combobox", name="Model").wait_for(timeout=driver.PATIENCE_MS)
            driver.settle(page)
            page.get_by_role("button", name="Log out").click()
            assert_nothing_but(page, "Log in")


def assert_nothing_but(page: Page, button: str) -> None:
    """Assert that a page shows a button, and no word of any recording, model or page."""
    page.get_by_role("button", name=button).wait_for(timeout=driver.PATIENCE_MS)
    driver.settle(page)
    said = page.inner_text("body").lower()
    assert not [word for word in ("stemi", "record:", "imle_net", "attention", "demo") if word in said], said
    expect(page.get_by_role("combobox")).to_have_count(0)
    expect(page.locator(".js-plotly-plot")).to_have_count(0)
