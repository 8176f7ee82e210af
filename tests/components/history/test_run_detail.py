"""What is said of a repeated run."""

from __future__ import annotations

from dataclasses import replace

from components.history.run_detail import replay_verdict
from core.run import ChoiceText, RunError
from tests.core.storage import samples


def test_same_answer_is_identical_and_nothing_else_is_said():
    before = samples.run()
    assert list(replay_verdict(before, samples.run())) == ["Run again: identical.", "Total: 1.50 s → 1.50 s."]


def test_other_answer_says_where_it_parts_and_what_else_changed():
    after = samples.run(
        text="there was a river",
        model="local/pydoc-3",
        system_fingerprint=None,
        choices={0: ChoiceText("there was a river", "length")},
    )
    assert list(replay_verdict(samples.run(), after)) == [
        "Run again: diverges at character 14.",
        "Model that answered: local/pydoc → local/pydoc-3.",
        "Fingerprint: fp-1 → not told.",
        "Finish reason: stop → length.",
        "Total: 1.50 s → 1.50 s.",
    ]


def test_each_choice_has_a_verdict_of_its_own():
    two = {0: ChoiceText("a", "stop"), 1: ChoiceText("b", "stop")}
    said = list(replay_verdict(samples.run(choices=two), samples.run(choices={**two, 1: ChoiceText("c", "stop")})))
    assert said[:2] == ["Choice 1 again: identical.", "Choice 2 again: diverges at character 1."]


def test_failure_of_the_repeated_run_comes_first():
    failed = samples.run(status="failed", choices={}, error=RunError("timed_out", "The router took too long.", "Try again."))
    first, second, *_ = replay_verdict(samples.run(), failed)
    assert (first, second) == ("Run again: it failed: The router took too long.", "Run again: diverges at character 1.")


def test_other_connection_is_said_but_not_the_embedded_routers_new_port():
    elsewhere = samples.run(connection_name="Orq", base_url="https://my.orq.ai")
    assert any(
        line.startswith("Connection: Local router (http://127.0.0.1:4000) → Orq") for line in replay_verdict(samples.run(), elsewhere)
    )
    restarted = replace(samples.run(), base_url="http://127.0.0.1:5000")
    assert not any("Connection" in line for line in replay_verdict(samples.run(), restarted))
