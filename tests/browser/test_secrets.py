"""The keys that the playground is given go to their servers and nowhere else, and neither does the database's password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet
import pytest
from playwright.sync_api import expect
from sqlalchemy import inspect, make_url, text

from core.export.run_files import write_runs
from core.storage.database import Database
from core.storage.run_repository import RunRepository
from tests.browser.conftest import Opener
from tests.browser.test_connections import KEY as UPSTREAM_KEY
from tests.browser.test_connections import add, go_to_connections
from tests.conftest import REPLAY_KEY
from tests.support.app_process import AppProcess, running_app
from tests.support.conditions import eventually
from tests.support.playground_page import WITHIN_MS, PlaygroundPage
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.replay import Replay, Script

TYPED_KEY = "sk-typed-canary-5be1"
PASSWORD = "password-canary-91"
SECRETS = (REPLAY_KEY, TYPED_KEY, UPSTREAM_KEY, PASSWORD)
PROMPT = "a prompt that is found"
"""What is looked for in the same places to know that they were looked into."""


@contextmanager
def database_of(kind: str, folder: Path) -> Iterator[tuple[Database, PostgresServer | None, dict[str, str]]]:
    """A database, its server if it has one, and the variable that names it to the app, with a password that the server does not need."""
    if kind == "sqlite":
        yield Database.of(folder, None), None, {}
        return
    with postgres_server() as server:
        address = server.new_database()
        named = address.set(drivername="postgresql", password=PASSWORD).render_as_string(hide_password=False)
        assert make_url(named).password == PASSWORD
        yield Database(address), server, {"DATABASE_URL": named}


def contents(database: Database) -> str:
    """Every row of every table."""
    with database.read() as connection:
        tables = inspect(connection).get_table_names()
        return "\n".join(str(tuple(row)) for table in tables for row in connection.execute(text(f'SELECT * FROM "{table}"')))


def exports(database: Database, folder: Path) -> dict[str, str]:
    """What each kind of export has, packed or not."""
    found = {}
    for kind in ("jsonl", "csv", "parquet"):
        file = folder / f"runs.{kind}"
        assert write_runs(RunRepository(database).stream(), kind, file) > 5
        found[kind] = str(pyarrow.parquet.read_table(file).to_pylist()) if kind == "parquet" else file.read_text()
    return found


def say(page: PlaygroundPage, model: str) -> str:
    """Run the prompt with a model; what the page then is."""
    page.choose_model(model).type_prompt(PROMPT).run()
    page.panel.wait_until_ended()
    return page.idle().page.content()


def go_home(page: PlaygroundPage) -> None:
    page.page.get_by_role("link", name="Playground", exact=True).click()
    page.ready()


def refusal_of(key: str) -> Script:
    return Script.refusal(401, "invalid_api_key", f"{key} is not a key we know")


@pytest.mark.takes(22)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_secrets_are_sent_where_they_belong_and_shown_logged_exported_and_stored_nowhere(
    kind: str, replay: Replay, open_page: Opener, tmp_path: Path
) -> None:
    received: list[str] = []
    pages: dict[str, str] = {}
    with database_of(kind, tmp_path) as (database, server, named):
        given = {"ORQ_API_KEY": REPLAY_KEY, "ORQ_BASE_URL": replay.url, "PLAYGROUND_DATA_DIR": str(tmp_path), **named}
        with running_app(environment=given) as app:
            page = open_page(app.url, fresh=True)
            page.page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(repr(data))))
            page.page.on("response", lambda response: received.append(response.url))
            page.open()
            runs_with(page, replay, REPLAY_KEY, pages)
            go_to_connections(page)
            page.keyed("connection.orq.key").locator("input").fill(TYPED_KEY)
            page.keyed("connection.orq.key").locator("input").press("Tab")
            expect(page.page.get_by_text("A typed key is in use")).to_be_visible(timeout=WITHIN_MS)
            go_home(page)
            runs_with(page, replay, TYPED_KEY, pages)
            if server is not None:
                pages["without its database"] = run_without(server, page, replay)
            go_to_connections(page)
            page.page.get_by_text("Local router", exact=True).first.click()
            page.idle()
            add(page, "mine", replay.url)
            go_home(page)
            runs_with(page, replay, UPSTREAM_KEY, pages, prefix="mine/")
            for name in ("History", "Knowledge", "Prompts", "Connections", "Settings"):
                page.page.get_by_test_id("stTopNav").get_by_role("link", name=name).click()
                pages[name] = page.idle().page.content()
            asked = len(pages) - 5
            eventually(lambda: RunRepository(database).count() >= asked, what="the runs to be stored")
            places = {"frames and addresses": "".join(received), **pages, **files_of(app, tmp_path)}
            page.page.close()
            app.end()
            places["output"] = app.output(last=10**7)
        places |= {"rows": contents(database), **exports(database, tmp_path)}
        database.close()
    assert all(PROMPT in places[name] for name in ("frames and addresses", "rows", "jsonl", "csv", "parquet"))
    assert not [(place, secret) for place, text in places.items() for secret in SECRETS if secret in text]


def runs_with(page: PlaygroundPage, replay: Replay, key: str, pages: dict[str, str], prefix: str = "") -> None:
    """A run that works, one that is refused with a message that quotes the key, and one that breaks off; each is sent with the key."""
    for name, script in {"works": Script(), "refused": refusal_of(key), "cut": Script.of("one two", ending="cut")}.items():
        model = replay.add(script)
        pages[f"{name} with {len(pages)}"] = say(page, prefix + model)
        assert replay.call(model).headers["authorization"] == f"Bearer {key}"


def run_without(server: PostgresServer, page: PlaygroundPage, replay: Replay) -> str:
    """What the page says about a run that cannot be saved just now."""
    server.stop()
    try:
        say(page, replay.add(Script()))
        expect(page.page.get_by_test_id("stAlert").filter(has_text="are not being saved")).to_be_visible(timeout=WITHIN_MS)
        return page.page.content()
    finally:
        server.start()


def files_of(app: AppProcess, folder: Path) -> dict[str, str]:
    """Every file of the data directory while the app still has it open: database, write-ahead log, what the local router keeps."""
    found = {str(file.relative_to(folder)): file.read_bytes().decode(errors="replace") for file in folder.rglob("*") if file.is_file()}
    assert any(name.startswith("router") for name in found)
    return found
