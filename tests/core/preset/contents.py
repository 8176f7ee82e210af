"""Contents of presets for tests: plain ones, and whatever hypothesis thinks of."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from core.preset.content import ComparisonContent, Content, DraftContent, SlotContent
from core.preset.preset import NewPreset, label

TEXTS = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(["model", "temperature", "top_p", "stop", "seed", "retry", "orq", "fallbacks", "no such field"])
BODIES = st.dictionaries(FIELDS, JSON, max_size=5)
EXTRAS = st.sampled_from(["", "{", '{"logit_bias": {"1": 2}}', '{"logit_bias":{"1":2}}', "[]"]) | TEXTS
PROMPTS = st.none() | TEXTS | JSON
DRAFTS = st.builds(lambda body, prompt, extra: DraftContent({**body, "prompt": prompt}, extra), BODIES, PROMPTS, EXTRAS) | st.builds(
    DraftContent, BODIES, EXTRAS
)


def _slot(body: dict[str, Any], extra: str, name: str, prompt: Any, own: bool) -> SlotContent:
    return SlotContent({**body, "prompt": prompt} if own else body, extra, name, own)


SLOTS = st.builds(_slot, BODIES, EXTRAS, TEXTS, PROMPTS, st.booleans())
COMPARISONS = st.builds(ComparisonContent, st.lists(SLOTS, min_size=1, max_size=4).map(tuple), PROMPTS, st.integers(1, 10), st.booleans())
CONTENTS: st.SearchStrategy[Content] = DRAFTS | COMPARISONS


def draft(**fields: Any) -> DraftContent:
    """A draft that can be sent."""
    return DraftContent({"model": "local/pydoc", "prompt": "Once upon a time", **fields})


def comparison(*temperatures: float, prompt: str = "Say it") -> ComparisonContent:
    """A slot for every temperature."""
    return ComparisonContent(tuple(SlotContent({"model": "local/pydoc", "temperature": one}) for one in temperatures), prompt)


def new(
    name: str = "Greedy", content: Content | None = None, description: str = "", tags: tuple[str, ...] = (), folder: str = ""
) -> NewPreset:
    """A preset to add."""
    return NewPreset(label(name, description, tags, folder), content or draft())
