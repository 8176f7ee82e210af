"""What a request says twice (conflicts) or says in a way worth a remark (notes). Neither keeps it from being sent.

Both take a request or a half-edited body in which anything may be missing or of the wrong kind, and never raise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.contract.placeholders import input_names, input_values, placeholders
from core.contract.request import DEFAULT_MAX_TOKENS, CompletionRequest
from core.contract.routing import TWINS

Body = CompletionRequest | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two fields that mean the same are both set: ``path`` and ``twin``; ``wins`` is the one of them that counts."""

    path: str
    twin: str
    wins: str
    message: str


@dataclass(frozen=True, slots=True)
class Note:
    """A remark about the field at ``path``."""

    path: str
    message: str


def conflicts(request: Body) -> tuple[Conflict, ...]:
    """Fields set in both of their places, in contract order. The winner counts as a whole: blocks are not merged."""
    body = _tree(request)
    orq = _object(body.get("orq"))
    pairs = [(name, f"orq.{name}") for name in TWINS if name in body and name in orq]
    if "identity" in orq and "contact" in orq:
        pairs.append(("orq.identity", "orq.contact"))
    return tuple(Conflict(path, twin, path, f"{path} and {twin} are both set; {path} wins and {twin} is ignored") for path, twin in pairs)


def notes(request: Body) -> tuple[Note, ...]:
    """Remarks on what is legal and yet likely not meant, or good to know before sending; in contract order, more or less."""
    body = _tree(request)
    return tuple(note for look in _LOOKS for note in look(body))


def _tree(request: Body) -> Mapping[str, Any]:
    return request.to_wire() if isinstance(request, CompletionRequest) else _object(request)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _number(value: Any) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _routed(body: Mapping[str, Any], name: str) -> tuple[str, Any]:
    """Path and value of a twin where it counts: top level first. The value is ``None`` when it is set nowhere."""
    if name in body:
        return name, body[name]
    return f"orq.{name}", _object(body.get("orq")).get(name)


def _model(body: Mapping[str, Any]) -> Iterator[Note]:
    path, balancer = _routed(body, "load_balancer")
    if isinstance(balancer, Mapping) and body.get("model"):
        yield Note("model", f"model is not the first one tried: {path} draws it from its own models")


def _weights(body: Mapping[str, Any]) -> Iterator[Note]:
    path, balancer = _routed(body, "load_balancer")
    models = [_object(model) for model in _list(_object(balancer).get("models"))]
    weights = [_number(model.get("weight", 0.5)) for model in models]
    usable = [weight for weight in weights if weight is not None and 0 < weight <= 1]
    if len(usable) < 2 or len(usable) < len(weights) or abs(sum(usable) - 1) < 1e-9:
        return
    shares = ", ".join(f"{100 * weight / sum(usable):.0f} %" for weight in usable)
    yield Note(f"{path}.models", f"the weights add up to {sum(usable):g}; the models are drawn by their shares: {shares}")


def _prompt(body: Mapping[str, Any]) -> Iterator[Note]:
    prompt = body.get("prompt")
    if _object(_object(body.get("orq")).get("prompt")).get("id"):
        yield Note("prompt", "prompt is not what the model sees: the stored prompt of orq.prompt replaces it")
    elif isinstance(prompt, str) and prompt.endswith(" "):
        yield Note("prompt", "the prompt ends with a space; most models continue better without it, since their words begin with one")


def _placeholders(body: Mapping[str, Any]) -> Iterator[Note]:
    orq = _object(body.get("orq"))
    prompt, inputs = body.get("prompt"), orq.get("inputs")
    if not isinstance(prompt, str) or _object(orq.get("prompt")).get("id"):
        return  # a stored prompt has placeholders of its own
    used, given = placeholders(prompt), input_values(inputs)
    for name in used:
        if name not in given:
            yield Note("prompt", f"{{{{{name}}}}} has no value in orq.inputs and is sent as it stands")
    for name in input_names(inputs):
        if name not in used:
            yield Note("orq.inputs", f"the input {_cut(name)} is used nowhere: the prompt has no {{{{{_cut(name)}}}}}")


def _cut(name: str) -> str:
    return name if len(name) <= 40 else name[:39] + "…"


def _length(body: Mapping[str, Any]) -> Iterator[Note]:
    if body.get("max_tokens") is None:
        state = "null" if "max_tokens" in body else "not set"
        yield Note("max_tokens", f"max_tokens is {state}: the server's default is {DEFAULT_MAX_TOKENS} tokens, about a dozen words")


def _stops(body: Mapping[str, Any]) -> Iterator[Note]:
    stop = body.get("stop")
    if stop == "" or "" in _list(stop):
        yield Note("stop", "an empty stop sequence marks no place in a text; remove it")


def _sampling(body: Mapping[str, Any]) -> Iterator[Note]:
    temperature, top_p, n = (_number(body.get(name)) for name in ("temperature", "top_p", "n"))
    if temperature is not None and top_p is not None:
        yield Note("top_p", "temperature and top_p are both set; change one of them, as some models refuse the pair")
    if n is not None and n > 1 and temperature == 0:
        yield Note("n", f"temperature 0 takes the likeliest token each time, so expect {n:g} choices that are the same or nearly so")


def _fallback_codes(body: Mapping[str, Any]) -> Iterator[Note]:
    path, codes = _routed(body, "fallback_on_codes")
    _, fallbacks = _routed(body, "fallbacks")
    if isinstance(codes, list | tuple) and not _list(fallbacks):
        yield Note(path, f"{path} does nothing without fallbacks to go on to")


def _cache(body: Mapping[str, Any]) -> Iterator[Note]:
    path, cache = _routed(body, "cache")
    if not isinstance(cache, Mapping):
        return
    n = _number(body.get("n"))
    answer = f"all {n:g} choices" if n is not None and n > 1 else "the answer"
    ttl = _number(cache.get("ttl", 3600))
    span = f"for {ttl:g} seconds" if ttl is not None else "for a while"
    yield Note(path, f"{path} repeats {answer} {span} when the same request is sent again, instead of sampling anew")


def _thinking(body: Mapping[str, Any]) -> Iterator[Note]:
    thinking = _object(body.get("thinking"))
    local = str(body.get("model")).startswith(("local/", "rehearsal/"))
    if thinking.get("type") == "enabled" and thinking.get("thinking_level") and thinking.get("budget_tokens") and not local:
        yield Note("thinking.thinking_level", "of providers only Gemini 3 honours thinking_level, and it ignores budget_tokens then")


def _plugins(body: Mapping[str, Any]) -> Iterator[Note]:
    for index, plugin in enumerate(_list(body.get("plugins"))):
        regions = _list(_object(plugin).get("regions"))
        if "all" in regions and len(regions) > 1:
            yield Note(f"plugins.{index}.regions", "all stands for every region; remove the others beside it")


def _knowledge(body: Mapping[str, Any]) -> Iterator[Note]:
    for index, base in enumerate(_list(_object(body.get("orq")).get("knowledge_bases"))):
        path, base = f"orq.knowledge_bases.{index}", _object(base)
        filter_by = base.get("filter_by")
        if filter_by == {"or": []}:
            yield Note(f"{path}.filter_by", 'an empty "or" list matches nothing, so the search finds nothing')
        elif filter_by in ({}, {"and": []}):
            yield Note(f"{path}.filter_by", "an empty filter matches every chunk, as if it were not sent")
        found, kept = _number(base.get("top_k")), _number(_object(base.get("rerank_config")).get("top_k"))
        if found is not None and kept is not None and kept > found:
            yield Note(f"{path}.rerank_config.top_k", f"reranking cannot keep {kept:g} chunks when the search gives {found:g} at most")


_LOOKS = (
    _model,
    _prompt,
    _placeholders,
    _length,
    _stops,
    _sampling,
    _fallback_codes,
    _cache,
    _weights,
    _thinking,
    _plugins,
    _knowledge,
)
