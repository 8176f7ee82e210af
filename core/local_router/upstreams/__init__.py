"""Upstreams: OpenAI-compatible servers that the local router reaches as ``name/model``. One word from outside: ``Upstreams``."""

from core.local_router.upstreams.config import UpstreamConfig
from core.local_router.upstreams.registry import Upstreams, UpstreamStatus

__all__ = ["UpstreamConfig", "UpstreamStatus", "Upstreams"]
