"""The dashboard serves this machine alone unless a login is configured, keeps sessions apart, and tells faults."""

import logging
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from test_library import ecg_csv
from test_pages import figures, pick_demo, texts, unescaped

from ecgviz import pipeline, registry
from ecgviz.access import allowed_in, check_login, is_loopback, may_enter, takes_as_verified
from ecgviz.cli import main
from ecgviz.errors import AccessError
from ecgviz.records import isolate, load_record
from ecgviz.types import Record
from ecgviz.ui import leftovers
from ecgviz.ui.state import choices, networks, running

ROOT = Path(__file__).resolve().parents[1]
LOGIN = {
    "redirect_uri": "https://ecg.hospital.example/oauth2callback",
    "cookie_secret": "0123456789abcdef0123456789abcdef",
    "client_id": "ecgviz",
    "client_secret": "a",
    "server_metadata_url": "https://login.hospital.example/.well-known/openid-configuration",
}
SECRETS: dict[str, Any] = {"auth": LOGIN, "ecgviz": {"allowed": ["Reader@hospital.example", "@heart.example"]}}


def write_secrets(folder: Path, secrets: dict[str, Any]) -> None:
    lines = []
    for section, held in secrets.items():
        lines += [f"[{section}]", *(f"{name} = {value!r}" for name, value in held.items())]
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text("\n".join(lines))


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "10.0.0.7", "127.0.0.1.example.org", "localhost.evil"])  # noqa: S104
def test_other_machines_reach_all_but_loopback(address: str | None) -> None:
    assert not is_loopback(address)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"auth": {}}, "lacks redirect_uri"),
        ({"auth": {**LOGIN, "client_secret": ""}}, "lacks client_secret"),
        ({"auth": {**LOGIN, "cookie_secret": "short"}}, "shorter than 32 characters"),
        ({"ecgviz": {}}, "names nobody who may log in"),
        ({"ecgviz": {"allowed": "all"}}, "names nobody who may log in"),
        ({"auth": {**LOGIN, "redirect_uri": "nowhere"}}, "is no address"),
    ],
)
def test_a_login_that_keeps_nobody_out_is_none(change: dict[str, Any], why: str) -> None:
    with pytest.raises(AccessError, match=why):
        check_login({**SECRETS, **change})


@pytest.mark.parametrize(
    ("claims", "enters"),
    [
        ({"email": "reader@hospital.example"}, True),
        ({"email": "READER@HOSPITAL.EXAMPLE"}, True),
        ({"email": "anyone@heart.example"}, True),
        ({"email": "other@hospital.example"}, False),
        ({"email": "reader@hospital.example.evil"}, False),
        ({"email": "a@evil@heart.example.evil"}, False),
        ({"email": "@heart.example"}, True),
        ({"email": "heart.example"}, False),
        ({}, False),
    ],
)
def test_only_named_people_enter(claims: dict[str, Any], enters: bool) -> None:
    assert may_enter({**claims, "email_verified": True}, allowed_in(SECRETS)) == enters


@pytest.mark.parametrize(
    ("said", "enters", "enters_if_vouched_for"),
    [
        ({"email_verified": True}, True, True),
        ({"email_verified": "true"}, True, True),
        ({"email_verified": False}, False, False),
        ({"email_verified": "false"}, False, False),
        ({"email_verified": None}, False, False),
        ({}, False, True),
    ],
)
def test_an_address_that_nobody_verified_lets_nobody_in(
    said: dict[str, Any], enters: bool, enters_if_vouched_for: bool
) -> None:
    claims = {"email": "reader@hospital.example", **said}
    vouched = {**SECRETS, "ecgviz": {**SECRETS["ecgviz"], "addresses_are_verified": True}}
    for secrets, expected in ((SECRETS, enters), (vouched, enters_if_vouched_for)):
        found = may_enter(claims, allowed_in(secrets), unsaid_is_verified=takes_as_verified(secrets))
        assert found == expected


def test_the_app_refuses_other_machines_without_a_login_and_serves_them_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    asked = ["app", "--host", "0.0.0.0", "--json"]  # noqa: S104
    assert main(asked) == 2
    assert "no login is configured" in capsys.readouterr().err
    write_secrets(tmp_path, SECRETS)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(asked) == 2
    assert "pip install 'ecgviz[login]'" in capsys.readouterr().err
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert main(asked) == 0
    told = capsys.readouterr().out
    assert "--server.address=0.0.0.0" in told
    assert "--server.allowedHosts=ecg.hospital.example" in told


def test_a_server_that_others_reach_shows_nothing_without_a_login(app: AppTest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("streamlit.get_option", lambda name: "0.0.0.0")  # noqa: S104
    app.run()
    (error,) = app.error
    assert "can be reached from other machines, and no login is configured" in error.value
    assert not app.selectbox


def test_a_login_that_is_not_complete_is_told_where_this_machine_alone_is_served(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("streamlit.get_option", lambda name: "127.0.0.1")
    app.secrets["auth"] = LOGIN
    app.run()
    (error,) = app.error
    assert "A login is configured, and secrets.toml names nobody who may log in" in error.value
    assert "other machines" not in error.value


def test_a_library_is_named_at_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ecg_csv(tmp_path / "one" / "a.csv")
    assert main(["app", "--data", str(tmp_path / "one"), "--json"]) == 0
    assert '"recordings": 1' in capsys.readouterr().out
    assert main(["app", "--data", str(tmp_path / "two"), "--json"]) == 2
    assert "is no folder" in capsys.readouterr().err


def test_a_fault_is_a_sentence_with_a_number_and_the_log_says_where_and_not_what(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    who = "Mustermann"

    def broken(name: str) -> None:
        raise ZeroDivisionError(who)

    monkeypatch.setattr("ecgviz.ui.titles.title", broken)
    app.run()
    (error,) = app.error
    assert not app.exception
    assert who not in error.value
    number = re.search(r"failure (\w+)", error.value)[1]
    (logged,) = [each for each in caplog.records if each.name == "ecgviz.dashboard"]
    assert logged.levelno == logging.ERROR
    assert logged.getMessage().startswith(f"failure {number}\n")
    assert "in broken" in logged.getMessage()
    assert "ZeroDivisionError" in logged.getMessage()
    assert who not in caplog.text
    caplog.clear()


def test_a_fault_in_a_part_that_runs_by_itself_is_told_in_its_place_and_the_rest_of_the_page_stands(
    caplog: pytest.LogCaptureFixture,
):
    def page() -> None:
        import streamlit as st

        from ecgviz.ui import failures

        @failures.fragment
        def part(divisor: int) -> None:
            st.write(f"one by {divisor} is {1 / divisor:g}")

        part(2)
        part(0)
        st.write("the rest")

    shown = AppTest.from_function(page).run(timeout=60)
    assert [each.value for each in shown.markdown] == ["one by 2 is 0.5", "the rest"]
    (error,) = shown.error
    assert "Something failed here" in error.value
    assert not shown.exception
    assert "ZeroDivisionError" in caplog.text
    caplog.clear()


def test_ten_sessions_at_once_see_their_own_upload_alone(app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Each session sends a recording that names it; parsing, which a child process does, and networks are left out."""
    demo = load_record("demo:normal").select(("II", "V1"))

    def parsed(files: dict[str, bytes], **stated: Any) -> Record:
        (data,) = files.values()
        return replace(demo, id=f"own-{data.decode()}")

    monkeypatch.setattr(choices, "load_upload", parsed)
    monkeypatch.setattr(registry, "models_folder", lambda: tmp_path)
    sessions = [AppTest.from_file(str(ROOT / "app.py"), default_timeout=240) for _ in range(10)]
    for n, session in enumerate(sessions):
        session.session_state["source"] = "Upload"
        session.run().file_uploader(key="upload").set_value([(f"{n}.csv", str(n).encode(), "text/csv")]).run()
    for n, session in enumerate(sessions):
        session.run()
        said = str(figures(session)) + unescaped(texts(session))
        assert set(re.findall(r"own-(\d+)", said)) == {str(n)}
    assert "own-" not in str(figures(pick_demo(app, "af")))


def test_a_server_removes_what_a_killed_one_left_of_uploads_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names = ("ecgviz-upload-old", "ecgviz-upload-of-a-server-that-runs", "kept", "other-old")
    left, running_now, target, other = (tmp_path / name for name in names)
    for folder in (left, running_now, target, other):
        folder.mkdir()
        (folder / "record.csv").write_text("I,II")
    (tmp_path / "ecgviz-upload-link").symlink_to(target)
    long_ago = time.time() - leftovers.OLD_S - 60
    for folder in (left, target, other):
        os.utime(folder, (long_ago, long_ago))
    os.utime(tmp_path / "ecgviz-upload-link", (long_ago, long_ago), follow_symlinks=False)
    leftovers.sweep()
    assert {each.name for each in tmp_path.iterdir()} == {*names[1:], "ecgviz-upload-link"}
    assert (target / "record.csv").exists()


def test_uploads_lie_where_a_server_looks_for_them_and_not_for_as_long(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[Path] = []
    monkeypatch.setattr(isolate, "_run_child", lambda folder, main: seen.append(folder))
    monkeypatch.setattr(isolate, "_answer", lambda folder, main: load_record("demo:normal"))
    isolate.load_upload({"ecg.csv": b"I,II"})
    (folder,) = seen
    assert (folder.parent, folder.name.startswith(leftovers.PREFIX)) == (tmp_path, True)
    assert leftovers.OLD_S > 10 * isolate.WALL_S


def stop_when_found_out(app: AppTest, monkeypatch: pytest.MonkeyPatch, title: str) -> AppTest:
    """Stop the work of this title, of all that a page asks for, before anything of it is known."""
    tokens = []

    def watched(token: str, named: str, work: Callable[[], Any]) -> Any:
        if named == title:
            tokens.append(token)
        return watch(token, named, work)

    watch = running._watched
    monkeypatch.setattr(running, "_watched", watched)
    st.cache_data.clear()
    app.run()
    st.cache_data.clear()
    app.session_state[running._STOPPED] = tokens[-1]
    return app.run()


def test_what_two_parts_of_a_page_wait_for_is_stopped_once_for_both(app: AppTest, monkeypatch: pytest.MonkeyPatch):
    stop_when_found_out(pick_demo(app), monkeypatch, "Predicting")
    assert not app.error
    assert "Predicting: stopped before it was done; press Run again" in unescaped(texts(app))
    (again,) = [button for button in app.button if button.label == "Run again"]
    again.click().run()
    assert "stopped before it was done" not in unescaped(texts(app))


def test_an_altered_recording_is_shown_without_an_explanation_that_was_stopped(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
):
    app = pick_demo(app, "normal").switch_page("pages/what_if.py").run()
    app.selectbox(key="edit").set_value("shift_st").run()
    app.button(key="apply shift_st").click().run()
    stop_when_found_out(app, monkeypatch, "Explaining")
    assert not app.error
    warnings = [unescaped(each.value) for each in app.warning]
    assert [each for each in warnings if "stopped" in each] == [
        "after: Explaining: stopped before it was done; press Run again, or choose something else"
    ]
    assert len([button for button in app.button if button.label == "Run again"]) == 1


def test_work_that_was_stopped_says_so_and_runs_again_when_asked(app: AppTest, monkeypatch: pytest.MonkeyPatch):
    """A click on Stop is a rerun in the midst of the work, after the button's callback; here the work makes both."""
    tokens, done = [], []

    def watched(token: str, title: str, work: Callable[[], Any]) -> Any:
        tokens.append(token)
        return watch(token, title, work)

    def analysed(*asked: Any, **more: Any) -> Any:
        if not done:
            done.append("stopped")
            running._stop(tokens[-1])
            st.rerun()
        done.append("analysed")
        return pipeline.analyse(*asked, **more)

    watch = running._watched
    monkeypatch.setattr(running, "_watched", watched)
    monkeypatch.setattr(networks, "analyse", analysed)
    pick_demo(app).switch_page("pages/report.py").run()
    (error,) = app.error
    assert "stopped before it was done; press Run again" in unescaped(error.value)
    assert done == ["stopped"]
    (again,) = [button for button in app.button if button.label == "Run again"]
    again.click().run()
    assert not app.error
    assert done == ["stopped", "analysed"]


def test_layers_are_counted_in_their_own_thread_alone_and_no_hook_is_left() -> None:
    from torch import nn, zeros
    from torch.nn.modules import module

    net, counted = nn.Sequential(nn.Linear(2, 2), nn.ReLU()), []
    other = threading.Thread(target=net, args=(zeros(1, 2),))
    before = len(module._global_forward_pre_hooks)

    def interrupted() -> None:
        with running._counted(lambda: counted.append(1)):
            net(zeros(1, 2))
            other.start()
            other.join()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(counted) == 3
    assert len(module._global_forward_pre_hooks) == before
