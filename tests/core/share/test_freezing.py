"""What is left out of a snapshot is nowhere in it; what is not is there; what may never be in it never is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest
from pydantic import BaseModel, SecretStr

from core.connection import Connection
from core.run import ChoiceText, RunSnapshot
from core.share import freezing, items, snapshot
from core.share.freezing import NotShared, freeze
from core.share.link import SelfContainedLinks
from core.share.markdown import to_markdown
from core.share.opening import content_of, title_of
from core.share.reading import read_snapshot
from core.share.snapshot import ItemName, SharedSingleRun, Snapshot
from core.share.subject import preset_subject, run_subject
from tests.core.share.canaries import BODY, CANARIES, KEY, NEVER, PROMPT, RENDERED, run, subjects
from tests.core.storage import samples

KINDS = ("preset", "run", "comparison")
SUBJECTS = subjects()


def frozen(kind: str, *hidden: ItemName) -> Snapshot:
    return freeze(SUBJECTS[kind], hidden=hidden, secrets=[KEY, KEY[::-1]])


def texts(made: Snapshot) -> dict[str, str]:
    """Every form in which a snapshot leaves."""
    whole = made.to_json().decode()
    packed = SelfContainedLinks("secret").pack(made, room=10**9)
    shown = to_markdown(made).replace("\\", "")
    return {"json": json.dumps(json.loads(whole), ensure_ascii=False), "markdown": shown, "title": title_of(made), "link": packed or ""}


def found(made: Snapshot, canaries: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(where, canary) for where, text in texts(made).items() for canary in canaries if canary.lower() in text.lower()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", list(CANARIES))
def test_item_left_out_is_nowhere_in_the_snapshot(kind: str, name: ItemName):
    assert found(frozen(kind, name), CANARIES[name]) == []


@pytest.mark.parametrize("name", list(CANARIES))
def test_item_shared_is_there(name: ItemName):
    assert "json" in dict(found(frozen("run"), CANARIES[name]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hidden", [(), get_args(ItemName)], ids=["all shared", "nothing shared"])
def test_keys_ids_and_the_raw_answer_are_never_in_it(kind: str, hidden: tuple[ItemName, ...]):
    assert found(frozen(kind, *hidden), NEVER) == []


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_any_item_is_left_when_all_are_left_out(kind: str):
    everything = tuple(canary for canaries in CANARIES.values() for canary in canaries)
    made = frozen(kind, *get_args(ItemName))
    assert found(made, everything) == []
    assert all(request == {"temperature": value} for request, value in zip(made.requests, (0.25, 0.5), strict=False))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hidden", [(), ("prompt", "identity"), get_args(ItemName)])
def test_snapshot_is_read_again_as_it_is(kind: str, hidden: tuple[ItemName, ...]):
    made = frozen(kind, *hidden)
    assert read_snapshot(made.to_json()) == made


def test_a_run_without_anything_hidden_is_the_run_itself():
    seen = samples.run()
    made = freeze(run_subject(seen))
    assert isinstance(made.content, SharedSingleRun)
    again = made.content.run.snapshot(made.content.request)
    same = ("body", "status", "created_at", "choices", "usage", "model", "timings", "connection_name", "base_url", "system_fingerprint")
    assert {name: getattr(again, name) for name in same} == {name: getattr(seen, name) for name in same}
    assert made.hidden == ()


def test_models_have_no_place_for_a_connection_or_a_secret():
    """By type: of all models of a snapshot, no field can hold a connection, a secret, bytes, or is named like one."""

    def models(model: type[BaseModel], seen: set[type[BaseModel]]) -> set[type[BaseModel]]:
        seen.add(model)
        for field in model.model_fields.values():
            for inner in _inner(field.annotation):
                if isinstance(inner, type) and issubclass(inner, BaseModel) and inner not in seen:
                    models(inner, seen)
        return seen

    named = [(name, field.annotation) for model in models(Snapshot, set()) for name, field in model.model_fields.items()]
    fields = {(name, kind) for name, annotation in named for kind in _inner(annotation)}
    assert len(fields) > 40
    assert not {kind for _, kind in fields} & {SecretStr, Connection, bytes, RunSnapshot}
    assert not {name for name, _ in fields} & {"api_key", "headers", "raw", "sent", "trace", "id", "run_id", "request_id", "key", "body"}


def _inner(annotation: object) -> list[object]:
    arguments = getattr(annotation, "__args__", None)
    return [annotation] if not arguments else [one for argument in arguments for one in _inner(argument)]


@pytest.mark.parametrize("hidden", ["prompt", "inputs", "stored_prompt", "knowledge"])
def test_echoed_prompt_is_cut_from_the_output_or_takes_it_along(hidden: ItemName):
    plain_body = {"model": "m", "prompt": PROMPT, "echo": True, "orq": {"inputs": {"fruit": "mangosteen"}}}
    seen = samples.run(asked=plain_body, choices={0: ChoiceText(RENDERED + " and so on", "stop")})
    assert freeze(run_subject(seen), hidden=[hidden]).content.run.choices[0].text == " and so on"
    shaped = replace(seen, body={**plain_body, "orq": BODY["orq"]})
    assert freeze(run_subject(shaped), hidden=[hidden]).content.run.choices[0].text is None
    altered = replace(seen, choices={0: ChoiceText("Something else", "stop")})
    assert freeze(run_subject(altered), hidden=[hidden]).content.run.choices[0].text is None
    assert freeze(run_subject(seen), hidden=["thread"]).content.run.choices[0].text == RENDERED + " and so on"


def test_names_of_models_become_numbers_that_tell_them_apart():
    made = frozen("run", "models")
    lane = made.content.run.lane
    assert made.content.run.model == "model 2"
    assert any("asked model 1" in step.detail for step in lane.segments)
    assert any("fallback to model 2" in step.label for step in lane.segments)


KEYS = ("sk-proj-abcdefghijklmnop0123", "ghp_abcdefghijklmnop0123", "Bearer abcdefghijklmnop0123456", "AKIAABCDEFGHIJKLMNOP")


@pytest.mark.parametrize("key", KEYS)
def test_what_looks_like_a_key_is_masked_wherever_it_stands(key: str):
    body = {"model": "m", "prompt": f"use {key} now"}
    subject = preset_subject({"body": body, "extra": json.dumps({"note": key})})
    assert items.key_like(subject)
    assert key.split()[-1] not in freeze(subject).to_json().decode()


def test_field_named_like_a_secret_is_masked_and_one_named_like_a_setting_is_not():
    extra = {"api_key": "x1", "nested": {"Authorization": ["a"]}, "max_tokens_hint": 5, "monkey": "banana"}
    request = freeze(preset_subject({"body": {"model": "m", "prompt": "p"}, "extra": json.dumps(extra)})).content.request
    assert request["api_key"] == request["nested"]["Authorization"] == "**********"
    assert (request["max_tokens_hint"], request["monkey"]) == (5, "banana")


def test_what_cannot_be_sent_or_has_not_ended_is_not_shared():
    with pytest.raises(NotShared, match=r"temperature must be between 0 and 2, got 9"):
        freeze(preset_subject({"body": {"model": "m", "temperature": 9}, "extra": ""}))
    with pytest.raises(NotShared, match="still under way"):
        freeze(run_subject(run(status="streaming")))


def test_what_is_too_large_is_not_shared(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(freezing, "MOST_BYTES", 1_000_000)
    seen = samples.run(text="x" * 1_000_000)
    with pytest.raises(NotShared, match="too large"):
        freeze(run_subject(seen))
    freeze(run_subject(seen), hidden=["output"])


def test_lone_surrogates_are_mended():
    seen = replace(samples.run(text="other \ude00 half"), body=samples.body(prompt="half \ud83d"))
    made = freeze(run_subject(seen))
    assert read_snapshot(made.to_json()).content.request["prompt"] == "half \ufffd"


@pytest.mark.parametrize("kind", KINDS)
def test_snapshot_opens_as_what_it_was_made_of(kind: str):
    sent = [leaving.body for _, leaving in content_of(frozen(kind)).sent()]
    masked = {**BODY, "api_key": "**********"}
    assert sent == [masked, {**masked, "temperature": 0.5}][: len(sent)]


def test_items_name_only_what_is_there_and_who_and_where_are_off_at_first():
    bare = [item.name for item in items.items(preset_subject({"body": {"model": "m", "prompt": "p", "top_p": 1}, "extra": ""}))]
    assert bare == ["prompt", "models"]
    off = {item.name for item in items.items(SUBJECTS["run"]) if not item.on_at_first}
    assert off == {"identity", "thread", "base_url"}
    assert set(items.LABELS) == set(get_args(ItemName)) == {item.name for item in items.items(SUBJECTS["run"])}
    assert items.always_shown(SUBJECTS["run"]) == ("temperature",)


def test_made_at_is_when_it_was_made():
    assert freeze(SUBJECTS["preset"], now=datetime(2026, 1, 2, tzinfo=UTC)).made_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert snapshot.FORMAT in frozen("preset").to_json().decode()
