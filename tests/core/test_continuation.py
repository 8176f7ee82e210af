from dataclasses import replace

import pytest

from core.continuation import continuable, continued_prompt
from core.run import ChoiceText
from tests.core.storage.samples import body, run

CUT = {0: ChoiceText(" half a", None)}


@pytest.mark.parametrize("status", ["stopped", "interrupted", "failed"])
def test_text_that_was_broken_off_goes_behind_its_prompt(status):
    made = run(asked=body(prompt="Once"), status=status, choices=CUT)
    assert continuable(made) == (0,)
    assert continued_prompt(made, 0) == "Once half a"


def test_an_echoed_prompt_is_not_doubled():
    made = run(asked=body(prompt="Once", echo=True), status="stopped", choices={0: ChoiceText("Once half", None)})
    assert continued_prompt(made, 0) == "Once half"


def test_only_choices_with_text_that_did_not_end_by_themselves_go_on():
    choices = {0: ChoiceText("a", "stop"), 1: ChoiceText("b", "length"), 2: ChoiceText("", None), 3: ChoiceText("d", None)}
    assert continuable(run(status="failed", choices=choices)) == (1, 3)


def test_nothing_goes_on_from_a_run_under_way_or_one_that_ended_well_or_has_no_prompt():
    made = run(status="stopped", choices=CUT)
    assert continuable(replace(made, status="streaming")) == ()
    assert continuable(run()) == ()
    assert continuable(run(asked={"model": "m"}, status="stopped", choices=CUT)) == ()
    with pytest.raises(ValueError, match="nothing to go on from"):
        continued_prompt(run(), 0)
