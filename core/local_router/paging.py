"""``limit``, ``starting_after`` and ``ending_before`` of a list's query."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from core.local_router.api_error import ApiError


@dataclass(frozen=True, slots=True)
class Cursor:
    """A page: ``limit`` rows after the row of id ``after``, or the last ones before ``before``, or the first ones."""

    limit: int
    after: str | None
    before: str | None

    def unknown(self) -> ApiError:
        """That the row it names is not in the list."""
        name = "starting_after" if self.before is None else "ending_before"
        given = (self.before or self.after or "")[:60]
        return ApiError(400, f"{name} must be the id of one of the list, got {given!r}.", param=name)


def read_cursor(request: Request, *, most: int, usual: int) -> Cursor:
    """The page that a query asks for; ``ApiError`` 400 where ``limit`` is no number from 1 to ``most``, or both cursors are given."""
    query = request.query_params
    limit = query.get("limit", str(usual))
    if not (limit.isascii() and limit.isdigit() and len(limit) < 6 and 1 <= int(limit) <= most):
        raise ApiError(400, f"limit must be a whole number from 1 to {most}.", param="limit")
    after, before = query.get("starting_after"), query.get("ending_before")
    if after is not None and before is not None:
        raise ApiError(400, "Send starting_after or ending_before, not both.", param="ending_before")
    return Cursor(int(limit), after, before)
