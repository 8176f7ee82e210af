"""Signed tokens for the routes that know no Streamlit session: whoever was shown a run or a channel can read it, nobody else."""

from __future__ import annotations

import itsdangerous


class Signer:
    """Signs run ids and channel ids, each with a salt of its own, so that neither token opens the other. Thread-safe.

    A token is the signature alone: the id stands in the address beside it.
    """

    def __init__(self, secret: str) -> None:
        if not secret:
            raise ValueError("the secret that signs tokens must not be empty")
        self._runs = itsdangerous.Signer(secret, salt="playground.run")
        self._channels = itsdangerous.Signer(secret, salt="playground.channel")

    def run_token(self, run_id: str) -> str:
        """What opens ``/api/runs/{run_id}/…``."""
        return self._runs.get_signature(run_id).decode("ascii")

    def channel_token(self, channel: str) -> str:
        """What opens ``/api/channels/{channel}/…``."""
        return self._channels.get_signature(channel).decode("ascii")

    def opens_run(self, run_id: str, token: str) -> bool:
        """Whether ``token`` was made for this run."""
        return self._runs.verify_signature(run_id, token)

    def opens_channel(self, channel: str, token: str) -> bool:
        """Whether ``token`` was made for this channel."""
        return self._channels.verify_signature(channel, token)
