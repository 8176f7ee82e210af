"""Going on where a run's text broke off: its prompt and its text become the next prompt."""

from __future__ import annotations

from core.run import RunSnapshot


def continuable(run: RunSnapshot) -> tuple[int, ...]:
    """The choices that another run could go on from: those with text that did not come to its own end, of a run that has ended."""
    if not run.ended or not isinstance(run.body.get("prompt"), str):
        return ()
    return tuple(index for index, (text, reason) in sorted(run.choices.items()) if text and reason in (None, "length"))


def continued_prompt(run: RunSnapshot, choice: int) -> str:
    """The prompt that goes on from a choice; ValueError for a choice that is not ``continuable``."""
    if choice not in continuable(run):
        raise ValueError(f"choice {choice} of run {run.id} has nothing to go on from")
    prompt, text = str(run.body["prompt"]), run.choices[choice].text
    echoed = run.body.get("echo") is True and text.startswith(prompt)
    return text if echoed else prompt + text
