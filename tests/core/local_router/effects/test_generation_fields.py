"""What the prompt, the sampling parameters, lengths and labels do."""

from __future__ import annotations

import pytest

from tests.core.local_router.effects.conftest import Asker

shows = pytest.mark.shows


@shows("model")
def test_model_decides_who_answers(ask: Asker):
    assert ask(model="local/pydoc-1").headers["x-router-model"] == "local/pydoc-1"
    assert ask(model="local/pydoc-1").text != ask(model="local/pydoc").text


@shows("prompt")
def test_prompt_decides_what_is_continued(ask: Asker):
    assert ask(prompt="The for statement", temperature=0).text != ask(prompt="A class", temperature=0).text


@shows("echo")
def test_echo_puts_the_prompt_before_the_text(ask: Asker):
    plain = ask()
    assert ask(echo=True).text == "A function definition" + plain.text


@shows("stream")
def test_stream_brings_the_text_in_pieces_and_no_stream_in_one(ask: Asker):
    assert (ask(max_tokens=200).frames > 1) is ask.streams


@shows("max_tokens")
def test_max_tokens_is_where_the_text_is_cut(ask: Asker):
    seen = ask(max_tokens=7)
    assert (seen.usage["completion_tokens"], seen.reasons) == (7, {0: "length"})


@shows("seed")
def test_same_seed_repeats_the_text_and_another_changes_it(ask: Asker):
    assert ask(seed=5).text == ask(seed=5).text != ask(seed=6).text


@shows("temperature")
def test_temperature_zero_says_the_likeliest_whatever_the_seed(ask: Asker):
    assert ask(temperature=0, seed=1).text == ask(temperature=0, seed=2).text != ask(temperature=1.5, seed=1).text


@shows("top_p")
def test_tiny_top_p_leaves_the_likeliest_token_only(ask: Asker):
    assert ask(top_p=0.0001, seed=1).text == ask(temperature=0).text != ask(top_p=1, seed=1).text


@shows("frequency_penalty")
def test_frequency_penalty_makes_for_more_different_words(ask: Asker):
    asked = {"model": "local/pydoc-1", "max_tokens": 300}
    assert _different(ask(**asked, frequency_penalty=2).text) > _different(ask(**asked, frequency_penalty=-2).text)


@shows("presence_penalty")
def test_presence_penalty_makes_for_more_different_words(ask: Asker):
    asked = {"model": "local/pydoc-1", "max_tokens": 300}
    assert _different(ask(**asked, presence_penalty=2).text) > _different(ask(**asked, presence_penalty=-2).text)


def _different(text: str) -> float:
    return len(set(text.split())) / len(text.split())


@shows("stop")
def test_stop_ends_the_text_before_itself(ask: Asker):
    whole = ask(temperature=0).text
    word = whole.split()[4]
    seen = ask(temperature=0, stop=["never", word])
    assert (seen.text, seen.reasons) == (whole.partition(word)[0], {0: "stop"})


@shows("n")
def test_n_is_how_many_texts_come(ask: Asker):
    seen = ask(n=3)
    assert sorted(seen.texts) == [0, 1, 2]
    assert len(set(seen.texts.values())) == 3


@shows("user", "name")
def test_user_and_name_stand_on_the_trace(ask: Asker):
    seen = ask(user="u-17", name="nightly")
    assert (seen.trace["user"], seen.trace["name"]) == ("u-17", "nightly")


@shows("orq.name")
def test_name_in_orq_stands_on_the_trace_unless_one_is_at_the_top(ask: Asker):
    assert ask(orq={"name": "inner"}).trace["name"] == "inner"
    assert ask(name="outer", orq={"name": "inner"}).trace["name"] == "outer"


@shows("orq.thread.id", "orq.thread.tags[]")
def test_thread_stands_on_the_trace_and_changes_no_text(ask: Asker):
    seen = ask(orq={"thread": {"id": "t-1", "tags": ["blue"]}})
    assert seen.trace["thread"] == {"id": "t-1", "tags": ["blue"]}
    assert seen.text == ask().text
