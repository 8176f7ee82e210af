"""The application's settings, read once from the environment."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

ORQ_BASE_URL = "https://my.orq.ai"
"""Where the official SDK sends requests when nobody says otherwise (contract §1)."""

OLLAMA_BASE_URL = "http://127.0.0.1:11434"
"""Where Ollama listens by its documentation: the likeliest OpenAI-compatible server on a developer's machine."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says; every field is documented in the README.

    ``secret`` signs the tokens of runs and channels. ``local_pace`` is the embedded model's speed in tokens per second, 0 for unpaced.
    ``router_config`` is the local router's ``router.toml``, where it is not the data directory's. ``database_url`` is a PostgreSQL
    server's, with its password; ``None`` for an SQLite file in ``data_dir``. ``presets_dir`` is a folder whose files are presets.
    """

    data_dir: Path
    secret: SecretStr
    orq_api_key: SecretStr | None = None
    orq_base_url: str = ORQ_BASE_URL
    openai_api_key: SecretStr | None = None
    openai_base_url: str = OLLAMA_BASE_URL
    local_pace: float = 80.0
    router_config: Path | None = None
    database_url: SecretStr | None = None
    presets_dir: Path | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Settings from ``ORQ_API_KEY``, ``ORQ_BASE_URL``, ``OPENAI_API_KEY``, ``OPENAI_BASE_URL`` (a trailing
        ``/v1``, usual there, is taken off), ``PLAYGROUND_DATA_DIR``, ``PLAYGROUND_SECRET``, ``PLAYGROUND_LOCAL_PACE``,
        ``PLAYGROUND_ROUTER_CONFIG``, ``PLAYGROUND_PRESETS_DIR``, ``DATABASE_URL``.

        Raises ``ValueError`` naming the variable when its value cannot be used.
        """
        data_dir = Path(environ.get("PLAYGROUND_DATA_DIR") or ".data")
        secret = environ.get("PLAYGROUND_SECRET") or _kept_secret(data_dir)
        openai_url = environ.get("OPENAI_BASE_URL", "").strip().rstrip("/").removesuffix("/v1")
        return cls(
            data_dir=data_dir,
            secret=SecretStr(secret),
            orq_api_key=_secret(environ, "ORQ_API_KEY"),
            orq_base_url=(environ.get("ORQ_BASE_URL", "").strip() or ORQ_BASE_URL).rstrip("/"),
            openai_api_key=_secret(environ, "OPENAI_API_KEY"),
            openai_base_url=openai_url or OLLAMA_BASE_URL,
            local_pace=_number(environ, "PLAYGROUND_LOCAL_PACE", 80.0),
            router_config=_file(environ, "PLAYGROUND_ROUTER_CONFIG"),
            database_url=_database_url(environ),
            presets_dir=_folder(environ, "PLAYGROUND_PRESETS_DIR"),
        )


def _secret(environ: Mapping[str, str], name: str) -> SecretStr | None:
    text = environ.get(name, "").strip()
    return SecretStr(text) if text else None


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name} must be a number of at least 0, got {text[:40]!r}")
    return value


def _file(environ: Mapping[str, str], name: str) -> Path | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    path = Path(text).expanduser()
    if not path.is_file():
        raise ValueError(f"{name} must name a file; there is none at {text[:200]!r}")
    return path


def _folder(environ: Mapping[str, str], name: str) -> Path | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    path = Path(text).expanduser()
    if not path.is_dir():
        raise ValueError(f"{name} must name a folder; there is none at {text[:200]!r}")
    return path


def _database_url(environ: Mapping[str, str]) -> SecretStr | None:
    """The address of a PostgreSQL server. What is wrong with it is told without it: it holds a password."""
    url = _secret(environ, "DATABASE_URL")
    if url is None:
        return None
    text = url.get_secret_value()
    scheme, _, rest = text.partition("://")
    try:
        port = urlsplit(text).port
    except ValueError:
        port = 0
    if scheme not in ("postgres", "postgresql") or not rest.strip("/") or port == 0:
        raise ValueError("DATABASE_URL must look like postgresql://user:password@host:5432/name; without it, SQLite is used")
    return url


def _kept_secret(data_dir: Path) -> str:
    """The secret kept in the data directory, made on first use; one that lasts for this process where the directory is read-only."""
    path = data_dir / "secret"
    made = secrets.token_urlsafe(32)
    with contextlib.suppress(OSError):
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists() or not path.read_text().strip():
            _put_whole(path, made)
    with contextlib.suppress(OSError):
        made = path.read_text().strip() or made
    return made


def _put_whole(path: Path, text: str) -> None:
    """Write a file that others see whole or not at all. One that is there stays, unless it is empty."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        try:
            os.link(name, path)
        except FileExistsError:
            if not path.read_text().strip():
                os.replace(name, path)
        except OSError:  # no hard links on this disk
            os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
