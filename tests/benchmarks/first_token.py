"""From the click on Run to the first token in the DOM, less what the model itself took for it."""

from __future__ import annotations

from statistics import median

from playwright.sync_api import Browser

from tests.benchmarks.in_page import click_to_text_ms
from tests.benchmarks.row import Row, row
from tests.support.app_process import running_app
from tests.support.browser import launched
from tests.support.conditions import eventually
from tests.support.playground_page import PlaygroundPage
from tests.support.replay import Replay, Script, replaying

SAMPLES = 5
TARGET = "≤ 80 ms"
PAGE = "tests/benchmarks/reference_pages/write_stream.py"
MODELS = {"a model that answers at once": 0.0, "a model that thinks 0.2 s": 0.2}
"""The model's own first-token time, in seconds: at once is the harder case, the rerun that the click causes is then still under way."""


def run() -> list[Row]:
    """Five runs a figure on the scripted upstream, after two that are not counted; against ``st.write_stream`` in the script."""
    rows = []
    with launched() as browser, replaying() as replay:
        for name, first_token_s in MODELS.items():
            ours = playground_ms(browser, replay, first_token_s)
            reference = write_stream_ms(browser, replay, first_token_s)
            rows.append(row(f"Run → first token, {name}", "ms", ours, target=TARGET, reference=("st.write_stream", reference)))
    return rows


def playground_ms(browser: Browser, replay: Replay, first_token_s: float) -> float:
    """The median, in milliseconds."""
    model = replay.add(Script())
    with running_app(environment={"ORQ_API_KEY": "sk-bench", "ORQ_BASE_URL": replay.url}) as app:
        context = browser.new_context(viewport={"width": 1360, "height": 900})
        playground = PlaygroundPage(context.new_page(), app.url).open()
        playground.choose_model(model).type_prompt("go").keyed("a.prompt").locator("textarea").press("Tab")
        taken = []
        for number in range(SAMPLES + 2):
            script = answer(number, first_token_s)
            replay.add(script, name=model)
            first = script.pieces[0][1]
            shown_ms = click_to_text_ms(playground.idle().page, playground.run_button, playground.panel.root, first)
            playground.panel.wait_until_ended()
            taken.append(shown_ms - replay.call(model).first_token_s * 1000)
        context.close()
    return median(taken[2:])


def write_stream_ms(browser: Browser, replay: Replay, first_token_s: float) -> float:
    """The same for a page that streams in its script."""
    model = replay.add(Script())
    with running_app(environment={"ORQ_BASE_URL": replay.url}, script=PAGE, health="/_stcore/health") as app:
        context = browser.new_context(viewport={"width": 1360, "height": 900})
        page = PlaygroundPage(context.new_page(), app.url).open()
        page.keyed("model").locator("input").fill(model)
        page.keyed("model").locator("input").press("Enter")
        taken = []
        for number in range(SAMPLES + 2):
            script = answer(number, first_token_s)
            replay.add(script, name=model)
            root = page.page.locator("[data-testid=stApp]")
            shown_ms = click_to_text_ms(page.idle().page, page.run_button, root, script.pieces[0][1])
            eventually(lambda: replay.call(model).ended)
            taken.append(shown_ms - replay.call(model).first_token_s * 1000)
        context.close()
    return median(taken[2:])


def answer(number: int, first_token_s: float) -> Script:
    """Forty tokens at 100 a second, the first of them like no other before it."""
    return Script.of(f"first-{number}-token" + " more" * 40, tokens_per_s=100, first_token_s=first_token_s)
