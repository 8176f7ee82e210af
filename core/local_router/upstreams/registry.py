"""The upstreams a router has: read from files, added while it runs, called from its loop."""

from __future__ import annotations

import asyncio
import math
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from core.client.connection_pool import ConnectionPool
from core.local_router.api_error import ApiError
from core.local_router.upstreams.config import UpstreamConfig
from core.local_router.upstreams.files import Written, read_added, read_router_toml, write_added
from core.local_router.upstreams.upstream import ModelList, Source, Upstream

LISTING_WAIT_S: Final = 0.7
"""The longest that a list of models waits for upstreams that were never asked."""

EMBEDDED_AT_ONCE: Final = 32
"""Texts in one call of an embedding server: what the strictest of them take."""

IDLE_CONNECTIONS: Final = 32
"""Connections to one upstream that are kept for the next call."""


@dataclass(frozen=True, slots=True)
class UpstreamStatus:
    """One upstream as the Connections page shows it. ``source`` file: written in ``router.toml``; added: by the page."""

    config: UpstreamConfig
    source: Source
    listed: ModelList
    key: str


class Upstreams:
    """Upstreams by their names. Settings may be read and changed from any thread; what is async runs on the router's loop only.

    ``config_file`` is a ``router.toml``, ``added_file`` where added ones are kept (None: only in memory); ``load`` reads both. Keys are
    looked up in ``environ`` at each call; typed ones stay in memory.
    """

    def __init__(self, config_file: Path | None = None, added_file: Path | None = None, environ: Mapping[str, str] = os.environ) -> None:
        self._config_file = config_file
        self._added_file = added_file
        self._environ = environ
        self._typed: dict[str, SecretStr] = {}
        self._pool = ConnectionPool(IDLE_CONNECTIONS)
        self._lock = threading.Lock()
        self._upstreams: dict[str, Upstream] = {}
        self.problems: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Upstreams({', '.join(self._upstreams)})"

    def load(self) -> None:
        """Read the files anew. What cannot be used is told in ``problems``; what did not change keeps what was learned about it."""
        written = read_router_toml(self._config_file) if self._config_file else Written()
        added = read_added(self._added_file) if self._added_file else Written()
        with self._lock:
            memory_only = [] if self._added_file else [old.config for old in self._upstreams.values() if old.source == "added"]
            found = {config.name: self._kept(config, "file") for config in written.upstreams}
            problems = [*written.problems, *added.problems]
            for config in (*added.upstreams, *memory_only):
                if config.name in found:
                    problems.append(
                        f"The upstream {config.name!r} that was added here is not used: {self._file_name} has one of that name."
                    )
                else:
                    found[config.name] = self._kept(config, "added")
            self._upstreams, self.problems = found, tuple(problems)

    def put(self, config: UpstreamConfig, key: SecretStr | None = None) -> None:
        """Add an upstream or replace one that was added; ``key`` is kept in memory, until the process ends.

        ``ValueError`` with a sentence when the name is in ``router.toml``; ``OSError`` when it cannot be kept.
        """
        with self._lock:
            old = self._upstreams.get(config.name)
            if old is not None and old.source == "file":
                raise ValueError(f"{self._file_name} has an upstream {config.name!r}; change it there, or choose another name.")
            if old is not None and old.config.base_url != config.base_url:
                self._typed.pop(config.name, None)  # a key belongs to the address it was typed for
            if key is not None:
                self._typed[config.name] = key
            self._keep({**self._upstreams, config.name: self._new(config, "added")})

    def remove(self, name: str) -> None:
        """Forget an upstream that was added, and its typed key; ``ValueError`` when it is in ``router.toml`` or not there."""
        with self._lock:
            upstream = self._upstreams.get(name)
            if upstream is None or upstream.source == "file":
                raise ValueError(f"{name!r} was not added here; take it out of {self._file_name}.")
            self._typed.pop(name, None)
            self._keep({other: kept for other, kept in self._upstreams.items() if other != name})

    def has_typed_key(self, name: str) -> bool:
        """Whether a key was typed for the upstream."""
        return name in self._typed

    def status(self) -> tuple[UpstreamStatus, ...]:
        """Every upstream and what is known about it; asks nobody."""
        return tuple(UpstreamStatus(found.config, found.source, found.listed, found.key_hint) for found in self._upstreams.values())

    def find_key(self, config: UpstreamConfig) -> SecretStr | None:
        """The key that an upstream set up so is sent now: the one that was typed for its name and address, or the environment's."""
        known = self._upstreams.get(config.name)
        typed = self._typed.get(config.name) if known is None or known.config.base_url == config.base_url else None
        text = self._environ.get(config.api_key_env, "").strip() if config.api_key_env else ""
        return typed or (SecretStr(text) if text else None)

    def find(self, model: str) -> tuple[Upstream, str]:
        """The upstream of ``name/model`` and the model's own name; ``KeyError`` when there is no such upstream."""
        name, slash, own = model.partition("/")
        if not slash or not own:
            raise KeyError(model)
        return self._upstreams[name], own

    async def models(self, wait_s: float = LISTING_WAIT_S) -> list[str]:
        """Every model that is known, as ``name/model``. Upstreams are asked in the background: only one that was never asked is
        waited for, ``wait_s`` seconds at most."""
        waited_for = []
        for upstream in self._upstreams.values():
            task = upstream.ask_for_models()
            if task is not None and upstream.listed.state == "unasked" and upstream.config.models is None:
                waited_for.append(task)
        if waited_for:
            await asyncio.wait(waited_for, timeout=wait_s)
        return [f"{name}/{model}" for name, upstream in self._upstreams.items() for model in upstream.listed.models]

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, all of one length, by ``model`` (``name/model``) over ``/v1/embeddings``; ``ApiError`` where that fails."""
        upstream, own = self._required(model)
        vectors: list[list[float]] = []
        for start in range(0, len(texts), EMBEDDED_AT_ONCE):
            asked = list(texts[start : start + EMBEDDED_AT_ONCE])
            answer = await upstream.post(upstream.config.embeddings_path, {"model": own, "input": asked})
            vectors += _vectors(answer, len(asked), upstream.config.name)
        if len({len(vector) for vector in vectors}) > 1:
            raise ApiError(502, f"Upstream {upstream.config.name} sent embeddings of different lengths.")
        return vectors

    async def rerank(self, model: str, query: str, documents: Sequence[str]) -> list[float]:
        """How well each document answers ``query``, 0…1 in the documents' order, by ``model`` over ``/v1/rerank`` (the form of Jina,
        Cohere, vLLM, llama.cpp); ``ApiError`` where that fails. Scores outside 0…1 are taken as logits.
        """
        if not documents:
            return []
        upstream, own = self._required(model)
        body = {"model": own, "query": query, "documents": list(documents), "top_n": len(documents)}
        scores = _scores(await upstream.post(upstream.config.rerank_path, body), len(documents), upstream.config.name)
        return scores if all(0 <= score <= 1 for score in scores) else [_logistic(score) for score in scores]

    async def aclose(self) -> None:
        """Close every connection, on the loop that made them. The next call makes new ones."""
        for upstream in self._upstreams.values():
            upstream.stop_asking()
        await self._pool.close()

    @property
    def _file_name(self) -> str:
        return self._config_file.name if self._config_file else "router.toml"

    def _required(self, model: str) -> tuple[Upstream, str]:
        try:
            return self.find(model)
        except KeyError:
            raise ApiError(404, f"There is no upstream for the model {model}.", code="model_not_found") from None

    def _kept(self, config: UpstreamConfig, source: Source) -> Upstream:
        old = self._upstreams.get(config.name)
        return old if old is not None and old.config == config and old.source == source else self._new(config, source)

    def _new(self, config: UpstreamConfig, source: Source) -> Upstream:
        return Upstream(config, source, lambda: self.find_key(config), self._pool)

    def _keep(self, upstreams: dict[str, Upstream]) -> None:
        if self._added_file is not None:
            write_added(self._added_file, [found.config for found in upstreams.values() if found.source == "added"])
        self._upstreams = upstreams


def _vectors(answer: Any, wanted: int, name: str) -> list[list[float]]:
    try:
        rows = {row["index"]: [float(number) for number in row["embedding"]] for row in answer["data"]}
        return [rows[index] for index in range(wanted)]
    except (KeyError, TypeError, ValueError):
        raise ApiError(502, f"Upstream {name} did not send one embedding a text.") from None


def _scores(answer: Any, wanted: int, name: str) -> list[float]:
    try:
        rows = {row["index"]: float(row.get("relevance_score", row.get("score"))) for row in answer["results"]}
        scores = [rows[index] for index in range(wanted)]
    except (KeyError, TypeError, ValueError, AttributeError):
        scores = []
    if not scores or not all(map(math.isfinite, scores)):
        raise ApiError(502, f"Upstream {name} did not send one score a document.")
    return scores


def _logistic(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))
