"""What a local router is set up with, apart from its port and its key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RouterConfig:
    """Where a router keeps what people add to it: knowledge, prompts, identities. ``data_dir`` None keeps all of it in memory."""

    data_dir: Path | None = None


IN_MEMORY = RouterConfig()
