"""``python -m core.local_router --port N [--api-key K] [--pace TOKENS_PER_S] [--data-dir D] [--config FILE]``: the local router alone.

``--config`` names a ``router.toml`` with upstreams, OpenAI-compatible servers whose models are then ``name/model``
(``core/local_router/upstreams/files.py`` shows one). Without it ``D/router.toml`` is taken, where it is there. An upstream that cannot be
used is told on standard error and left out; the router starts with the others.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from core.local_router.config import RouterConfig
from core.local_router.models.pydoc import learned_text
from core.local_router.server import DEFAULT_PACE, HOST, listen, make_server, make_upstreams


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line, read."""
    parser = argparse.ArgumentParser(prog="python -m core.local_router", description="Serve the local router on 127.0.0.1.")
    parser.add_argument("--port", type=_port, default=0, help="port to listen on; 0 (the default) takes a free one")
    parser.add_argument("--api-key", default="", help="key that clients must send; without one, any key is accepted")
    parser.add_argument(
        "--pace", type=_pace, default=DEFAULT_PACE, help="tokens per second of one stream, 0 for no limit; default %(default)s"
    )
    parser.add_argument(
        "--data-dir", type=Path, help="where it keeps what is added to it (knowledge, prompts, identities); without one, in memory"
    )
    parser.add_argument(
        "--config", type=_file, help="a router.toml with upstreams (OpenAI-compatible servers); default: router.toml in the data directory"
    )
    return parser.parse_args(argv)


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return path


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is 0 to 65535")
    return port


def _pace(text: str) -> float:
    pace = float(text)
    if not 0 <= pace < float("inf"):
        raise argparse.ArgumentTypeError("a pace is 0 or more tokens per second")
    return pace


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted. One line tells where and with which key; 1 when the port is taken."""
    options = arguments(argv)
    try:
        listener = listen(options.port)
    except OSError as error:
        sys.stderr.write(f"Port {options.port} cannot be used: {error.strerror}. Choose another with --port, or 0 for a free one.\n")
        return 1
    config_file = options.config or (options.data_dir / "router.toml" if options.data_dir else None)
    config = RouterConfig(options.data_dir, config_file)
    upstreams = make_upstreams(config)
    upstreams.load()
    sys.stderr.writelines(f"{problem}\n" for problem in upstreams.problems)
    with suppress(KeyboardInterrupt):
        learned_text()
        key = f"with the key {options.api_key}" if options.api_key else "any key is accepted"
        sys.stdout.write(f"Local router on http://{HOST}:{listener.getsockname()[1]}, {key}\n")
        sys.stdout.flush()
        server = make_server(SecretStr(options.api_key), options.pace, config=config, upstreams=upstreams)
        asyncio.run(server.serve(sockets=[listener]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
