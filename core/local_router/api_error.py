"""Errors in the contract's form: ``{"error": {"code", "message", "param", "type"}, "message"}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

CODES: Mapping[int, tuple[str, str, str]] = {
    400: ("invalid_request_body", "invalid_request_error", "The request is not valid."),
    401: ("invalid_api_key", "authentication_error", "The API key is not valid."),
    402: ("quota_exceeded", "insufficient_quota", "The quota is used up."),
    403: ("insufficient_scope", "permission_error", "The API key may not do this."),
    404: ("not_found", "invalid_request_error", "There is nothing at this address."),
    405: ("method_not_allowed", "invalid_request_error", "This address does not take this method."),
    408: ("request_timeout", "timeout_error", "The request took too long to arrive."),
    409: ("conflict", "invalid_request_error", "The request conflicts with another."),
    413: ("request_too_large", "invalid_request_error", "The request is too large."),
    422: ("model_configuration_missing", "invalid_request_error", "The model is not configured."),
    429: ("rate_limit_exceeded", "rate_limit_error", "Too many requests."),
    500: ("internal_error", "server_error", "Something went wrong in the router."),
    501: ("not_implemented", "not_implemented_error", "The router cannot do this yet."),
    502: ("provider_error", "provider_error", "The provider answered with an error."),
    503: ("service_unavailable", "provider_error", "The provider is not available."),
    504: ("provider_timeout", "timeout_error", "The provider did not answer in time."),
    529: ("provider_overloaded", "provider_error", "The provider is overloaded."),
}
"""Status -> code, type and sentence (contract, section 1; the types and 405 and 413 are ours)."""


class ApiError(Exception):
    """An error to answer with; what is not given is what ``CODES`` says for the status."""

    def __init__(
        self,
        status: int,
        message: str | None = None,
        *,
        code: str | None = None,
        param: str | None = None,
        failures: list[dict[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        usual_code, self.type, usual_message = CODES.get(status, CODES[400 if status < 500 else 500])
        self.status = status
        self.code = code or usual_code
        self.message = message or usual_message
        self.param = param
        self.failures = failures
        self.headers = dict(headers or {})
        super().__init__(f"{status} {self.code}: {self.message}")

    def body(self) -> bytes:
        """The error as JSON. ``message`` stands beside it once more: the official client's prompts and identities read it only there."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "param": self.param, "type": self.type}
        if self.failures:
            error["failures"] = self.failures
        return orjson.dumps({"error": error, "message": self.message})

    def response(self, headers: Mapping[str, str] | None = None) -> Response:
        """The error as an answer, with more ``headers``."""
        return Response(self.body(), self.status, {**self.headers, **(headers or {})}, media_type="application/json")
