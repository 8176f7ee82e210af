"""What a local router is set up with, apart from its port and its key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RouterConfig:
    """Where a router keeps what people add to it: knowledge, prompts, identities, upstreams. ``data_dir`` None keeps all of it in memory.

    ``config_file`` is a ``router.toml`` with upstreams; it need not be there, and is never written.
    """

    data_dir: Path | None = None
    config_file: Path | None = None

    def file(self, name: str) -> Path | None:
        """The file of that name in ``data_dir``; None where everything is kept in memory."""
        return self.data_dir / name if self.data_dir else None


IN_MEMORY = RouterConfig()
