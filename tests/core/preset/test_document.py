"""Preset files: what is written reads back the same, older files are brought up to date, and everything else is refused in one sentence."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from core.errors import InvalidPreset
from core.preset import document
from core.preset.content import Content, DraftContent
from core.preset.document import Form, read_presets, write_presets
from core.preset.preset import LONGEST_NAME, LONGEST_TAG, NewPreset, Origin, label
from core.preset.schema import preset_schema, schema_text
from core.preset.yaml_text import read_yaml, resolved, write_yaml
from tests.core.contract.test_round_trips import whole_bodies
from tests.core.preset.contents import CONTENTS, JSON, comparison, draft, new

ROOT = Path(__file__).parents[3]
FORMS = pytest.mark.parametrize("form", ["json", "yaml"])
NAMES = st.text(min_size=1, max_size=LONGEST_NAME).filter(lambda text: bool(text.split()))
LABELS = st.builds(label, NAMES, st.text(max_size=60), st.lists(st.text(max_size=LONGEST_TAG), max_size=3), st.text(max_size=30))
ORIGINS = st.none() | st.builds(Origin, st.text(min_size=1, max_size=20), st.integers(1, 99))
PRESETS = st.lists(st.builds(NewPreset, LABELS, CONTENTS, ORIGINS), min_size=1, max_size=3)
HEAD = {"format": "preset", "format_version": 1}


@FORMS
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(presets=PRESETS)
def test_what_is_exported_comes_back_the_same(form: Form, presets: list[NewPreset]) -> None:
    assert read_presets(write_presets(presets, form), f"x.{form}") == tuple(presets)


@settings(max_examples=300, deadline=None)
@given(JSON | st.text())
def test_yaml_reads_back_any_json(value: Any) -> None:
    assert read_yaml(write_yaml(value)) == value


@given(st.from_regex(r"[-+]?[0-9.eExo_:]{1,8}|[yntfYNTFon~.]{1,5}|0[0-7]+|[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True))
def test_words_that_look_like_something_else_stay_words(text: str) -> None:
    back = read_yaml(write_yaml({text: text}))
    assert back == {text: text}
    assert type(back[text]) is str


@pytest.mark.parametrize(("word", "meaning"), [("no", "no"), ("2026-01-01", "2026-01-01"), ("1:30", "1:30"), ("1e3", 1000.0), ("~", None)])
def test_plain_words_mean_what_json_would(word: str, meaning: Any) -> None:
    assert resolved(word) == meaning


def test_several_lines_are_a_block_and_nothing_is_an_alias() -> None:
    body = {"model": "m", "prompt": "one\ntwo\n"}
    text = write_presets([new(content=DraftContent({**body, "a": body, "b": body}))], "yaml").decode()
    assert "prompt: |" in text
    assert "&" not in text


def test_half_of_a_character_is_written_as_json_only() -> None:
    presets = [new(content=draft(prompt="half \ud83e"))]
    assert read_presets(write_presets(presets, "json"), "x.json") == tuple(presets)
    with pytest.raises(InvalidPreset, match="half of a character"):
        write_presets(presets, "yaml")


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "anchors .* line 1"),
        ("a: *b", "aliases|undefined"),
        ("a: !!python/object/apply:os.system ['true']", "tags .*python"),
        ("a: 1\na: 2", "'a' stands twice at line 2"),
        ("a: 1\n---\nb: 2", "second document"),
        ("[" * 100_000, "nested more than 128|nesting depth"),
        ("[" * 500, "nested more than 128"),
        ("? [a]\n: b", "key must be a text"),
        ("a: [", "line"),
        ("a: \x01", "control|not allowed|unacceptable|special"),
        ("a: b: c", "not allowed"),
    ],
)
def test_yaml_that_is_more_or_less_than_json_is_refused_in_words(text: str, says: str) -> None:
    began = time.process_time()
    with pytest.raises(InvalidPreset, match=says) as refused:
        read_presets(text.encode(), "team.yaml")
    assert refused.value.cause.startswith("team.yaml is not YAML: ")
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "line 1, column 2"),
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ('{"a": NaN}', "NaN is no JSON value"),
        ('{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_json_that_is_none_is_refused_in_words(text: str, says: str) -> None:
    with pytest.raises(InvalidPreset, match=says):
        read_presets(text.encode(), "x.json")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([], "is an object"),
        ({"name": "n"}, "format: preset"),
        ({"format": "curl", "format_version": 1}, "says 'curl'"),
        ({"format": "preset"}, "format_version must be"),
        ({"format": "preset", "format_version": 2, "name": "n"}, "format version 2, which a newer playground wrote"),
        ({**HEAD, "name": "n"}, "either a draft or a comparison"),
        ({**HEAD, "draft": {"body": {}}}, "needs a name"),
        ({**HEAD, "name": "n", "draft": {"body": {}}, "colour": 1}, "unknown field 'colour'"),
        ({**HEAD, "name": 5, "draft": {"body": {}}}, "name must be a text"),
        ({**HEAD, "name": "n", "tags": "t", "draft": {"body": {}}}, "tags must be a list"),
        ({**HEAD, "name": "n", "origin": {"preset": "p"}, "draft": {"body": {}}}, "origin has"),
        ({**HEAD, "presets": []}, "1 to 20,000"),
        ({**HEAD, "presets": [{"name": "n", "draft": {"body": {}}}, {"name": "n"}]}, "preset 2: A preset has either"),
        ({**HEAD, "presets": [], "name": "n"}, "beside presets"),
    ],
)
def test_file_that_holds_no_preset_is_refused_with_its_name(value: Any, says: str) -> None:
    with pytest.raises(InvalidPreset, match=says) as refused:
        read_presets(json.dumps(value).encode(), "folder/team.json")
    assert refused.value.cause.startswith("team.json")


def test_newer_file_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidPreset) as refused:
        read_presets(b"format: preset\nformat_version: 7\n", "x.yaml")
    assert "Update the playground" in refused.value.next_step


@pytest.mark.parametrize(
    ("old", "content"),
    [
        ({"model": "m", "prompt": "p", "temperature": None}, DraftContent({"model": "m", "prompt": "p", "temperature": None})),
        ({"body": {"model": "m"}, "extra": '{"x": 1}', "shelf": {"retry": {}}}, DraftContent({"model": "m"}, '{"x": 1}')),
        ({"body": {"model": "m"}, "extra": None}, DraftContent({"model": "m"})),
    ],
)
def test_files_from_before_presets_are_brought_up_to_date(old: dict[str, Any], content: Content) -> None:
    [found] = read_presets(json.dumps(old).encode(), "canary.v2.json")
    assert (found.label, found.content) == (label("canary.v2"), content)


def test_each_older_version_is_brought_up_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def renamed(value: dict[str, Any], _file: str) -> dict[str, Any]:
        return {("name" if key == "title" else key): inner for key, inner in value.items()} | {"name": f"2: {value['name']}"}

    monkeypatch.setattr(document, "STEPS", (*document.STEPS, renamed))
    monkeypatch.setattr(document, "FORMAT_VERSION", 2)
    [from_0] = read_presets(b'{"model": "m"}', "old.json")
    [from_1] = read_presets(json.dumps({**HEAD, "name": "n", "draft": {"body": {}}}).encode(), "old.json")
    assert (from_0.label.name, from_1.label.name) == ("2: old", "2: n")


def test_what_is_neither_text_nor_small_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidPreset, match="not text in UTF-8"):
        read_presets(b"\xff\xfe", "x.json")
    monkeypatch.setattr(document, "LARGEST_BYTES", 10)
    with pytest.raises(InvalidPreset, match="this one has more"):
        read_presets(b" " * 11, "x.json")


@settings(max_examples=500, deadline=None)
@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
    st.sampled_from(["x.json", "x.yaml", "x"]),
)
def test_any_bytes_are_presets_or_refused(data: bytes, file: str) -> None:
    with suppress(InvalidPreset):
        assert all(one.label.name for one in read_presets(data, file))


# The schema


SCHEMA = Draft202012Validator(preset_schema())


def test_published_schema_is_the_generated_one() -> None:
    Draft202012Validator.check_schema(preset_schema())
    published = (ROOT / "docs" / "preset.schema.json").read_text(encoding="utf-8")
    assert published == schema_text(), "write it anew: python -m core.preset.schema > docs/preset.schema.json"


@FORMS
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(body=whole_bodies())
def test_whatever_can_be_sent_is_valid_as_a_file(form: Form, body: dict[str, Any]) -> None:
    presets = [new(content=DraftContent(body, "{}"), tags=("t",), folder="f"), new(content=comparison(0, 1))]
    for written in (write_presets(presets, form), write_presets(presets[:1], form)):
        SCHEMA.validate(json.loads(written) if form == "json" else yaml.safe_load(written))


@pytest.mark.parametrize(
    "value",
    [
        {},
        {**HEAD, "name": "n"},
        {**HEAD, "name": "", "draft": {"body": {}}},
        {**HEAD, "name": "n", "draft": {"body": {}}, "comparison": {"slots": [{"body": {}}]}},
        {**HEAD, "name": "n", "draft": {"body": {"temperature": 3}}},
        {**HEAD, "name": "n", "draft": {"body": {"temprature": 1}}},
        {**HEAD, "name": "n", "comparison": {"slots": []}},
        {**HEAD, "format_version": 2, "name": "n", "draft": {"body": {}}},
        {**HEAD, "presets": [{"name": "n"}]},
    ],
)
def test_schema_refuses_what_is_no_preset(value: Any) -> None:
    assert not SCHEMA.is_valid(value)
