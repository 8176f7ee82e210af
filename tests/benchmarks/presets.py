"""A library of 10,000 presets: opening it, searching it, and what an edit in the Playground pays for knowing what differs."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Final

from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.preset.changes import changes
from core.preset.content import DraftContent
from core.preset.document import read_presets, write_presets
from core.preset.preset import NewPreset, label
from core.storage.database import Database
from core.storage.preset_query import PresetFilter, PresetOrder
from core.storage.preset_repository import PresetRepository
from core.workspace import opened_workspace
from tests.benchmarks.row import Row, row
from tests.support.postgres import postgres_server

PRESETS: Final = 10_000
ROUNDS: Final = 15
WORDS: Final = (
    "router",
    "prompt",
    "answer",
    "token",
    "model",
    "stream",
    "cache",
    "retry",
    "weight",
    "fallback",
    "filter",
    "chunk",
    "thread",
)
LIST: Final = "SELECT * FROM presets WHERE owner = 'local' AND deleted_at IS NULL ORDER BY saved_at DESC LIMIT 50"


def made() -> Iterator[NewPreset]:
    """Presets with prompts of 100 to 300 words, forty folders and a few tags; one in a thousand has a rare word."""
    for number in range(PRESETS):
        count = 100 + number % 200
        prompt = " ".join(WORDS[(number * 7 + place * place) % len(WORDS)] + str(place % 23) for place in range(count))
        prompt += " okapi" if number % 1_000 == 17 else ""
        body = {"model": f"local/model-{number % 9}", "prompt": prompt, "temperature": number % 20 / 10, "max_tokens": 64 + number % 512}
        tags = (f"tag {number % 25}", f"team {number % 7}")
        yield NewPreset(label(f"Preset {number}", "What it is for.", tags, f"folder {number % 40}/part {number % 3}"), DraftContent(body))


def run() -> list[Row]:
    """Both databases, then files."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        rows = _on(Database.of(Path(folder), None), "SQLite")
        with postgres_server() as server:
            rows += _on(Database(server.new_database()), "PostgreSQL")
    return rows + _files()


def _on(database: Database, name: str) -> list[Row]:
    library = PresetRepository(database)
    began = time.perf_counter()
    batch = list(made())
    for start in range(0, PRESETS, 500):
        library.add(batch[start : start + 500])
    filled_s = time.perf_counter() - began
    database.analyze()
    with database.write() as connection:
        connection.execute(text("ANALYZE"))
    plain = ("a plain SELECT … LIMIT 50", _median_ms(lambda: _plain(database)))
    rows = [row(f"{name}: add, {PRESETS:,} presets", "rows/s", PRESETS / filled_s)]
    scan = ("a plain scan of every row's words", _median_ms(lambda: _scan(database)))
    for what, work, target in _asked(library):
        reference = scan if what.startswith("search,") else plain
        rows.append(row(f"{name}: {what}", "ms", _median_ms(work), target=target, reference=reference))
    rows.append(_edit(library, name, plain))
    rows.append(row(f"{name}: the page's whole script, redrawn", "ms", _page_ms(database), target="≤ 80 ms", reference=plain))
    database.close()
    return rows


def _page_ms(database: Database) -> float:
    """The Presets page as Streamlit's AppTest runs it, which adds reading the page back."""
    os.environ["PLAYGROUND_DATA_DIR"] = str(database.path.parent if database.path else tempfile.mkdtemp())
    current = opened_workspace()
    current.presets = PresetRepository(database)
    page = AppTest.from_file(str(Path(__file__).parents[2] / "pages" / "presets.py"), default_timeout=60)
    took = _median_ms(page.run)
    assert not page.exception
    assert len(page.dataframe[0].value) == 50
    return took


def _plain(database: Database) -> None:
    with database.read() as connection:
        connection.execute(text(LIST)).all()


def _scan(database: Database) -> None:
    place = "instr" if database.dialect == "sqlite" else "strpos"
    with database.read() as connection:
        connection.execute(text(f"SELECT pk FROM presets WHERE {place}(words, 'nowhere') > 0")).all()


def _opened(library: PresetRepository, which: PresetFilter, order: PresetOrder) -> None:
    """Everything that the page asks for: the list, its length, and what there is to narrow it by."""
    library.empty()
    library.tags()
    library.folders()
    library.page(which, order)


def _searched(library: PresetRepository, which: PresetFilter) -> None:
    library.page(which)


def _asked(library: PresetRepository) -> Iterator[tuple[str, Callable[[], None], str]]:
    yield "open the library", lambda: _opened(library, PresetFilter(), PresetOrder()), "≤ 80 ms"
    yield "open it by name", lambda: _opened(library, PresetFilter(), PresetOrder("sort_name", False)), "≤ 80 ms"
    for what, asked in (
        ("a rare word", "okapi"),
        ("an absent word", "nowhere"),
        ("a word of every preset", "router"),
        ("part of a word", "kap"),
        ("two words", "preset 123"),
    ):
        which = PresetFilter(text=asked)
        yield f"search, {what}", lambda which=which: _searched(library, which), "≤ 50 ms"  # type: ignore[misc]
    narrowed = PresetFilter(text="router", tags=("tag 3",), folder="folder 3")
    yield "search with a tag and a folder", lambda: _searched(library, narrowed), "≤ 50 ms"


def _edit(library: PresetRepository, name: str, plain: tuple[str, float]) -> Row:
    """What the line over a draft asks for at each edit: its preset, the version, and what differs from it."""
    preset = library.page().presets[0]
    newest = library.version(preset.id, 1)
    assert newest is not None
    assert isinstance(newest.content, DraftContent)
    edited = DraftContent({**newest.content.body, "temperature": 0.05, "n": 2})

    def differs() -> None:
        library.find(preset.id)
        version = library.version(preset.id, 1)
        assert version is not None
        assert len(changes(version.content, edited)) == 2

    return row(f"{name}: what differs from a version", "ms", _median_ms(differs), target="≤ 10 ms", reference=plain)


def _files() -> list[Row]:
    presets = list(made())[:1_000]
    rows = []
    for form in ("json", "yaml"):
        written = write_presets(presets, form)  # type: ignore[arg-type]
        size = len(written) / 1024**2
        rows.append(
            row(f"export 1,000 presets as {form}, {size:.1f} MB", "ms", _median_ms(lambda form=form: write_presets(presets, form), 3))
        )  # type: ignore[misc]
        rows.append(row(f"import them from {form}", "ms", _median_ms(lambda data=written, form=form: read_presets(data, f"x.{form}"), 3)))  # type: ignore[misc]
    return rows


def _median_ms(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return median(times) * 1_000
