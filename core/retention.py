"""Retention: which runs are let go by age and size, only because somebody set it, and never without saying how many went."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from core.errors import StorageProblem
from core.storage.run_retention import Falling

RULE: Final = "retention"
OUTCOME: Final = "retention.outcome"
FIRST_S: Final = 60.0
"""How long after the start it is applied first, so that starting is not slowed."""
INTERVAL_S: Final = 3_600.0
DELETED_FOR: Final = timedelta(days=7)
"""How long a run that was deleted by hand can be brought back."""
MEGABYTE: Final = 1_000_000
LONGEST_DAYS: Final = 36_500
LARGEST_MB: Final = 10_000_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """Runs older than ``max_age_days`` go, and then the oldest until the rest takes at most ``max_mb`` (10⁶ bytes); None is no limit.

    ValueError for a limit that is not between 1 and 36,500 days, or 1 and 10,000,000 MB.
    """

    max_age_days: int | None = None
    max_mb: int | None = None

    def __post_init__(self) -> None:
        for value, most, said in ((self.max_age_days, LONGEST_DAYS, "age in days"), (self.max_mb, LARGEST_MB, "size in MB")):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most):
                raise ValueError(f"The {said} must be a whole number from 1 to {most:,}, or empty for no limit.")

    @property
    def off(self) -> bool:
        """Whether every run stays."""
        return self.max_age_days is None and self.max_mb is None

    @property
    def max_age(self) -> timedelta | None:
        """The age as a duration."""
        return None if self.max_age_days is None else timedelta(days=self.max_age_days)

    @property
    def max_bytes(self) -> int | None:
        """The size in bytes."""
        return None if self.max_mb is None else self.max_mb * MEGABYTE

    def to_dict(self) -> dict[str, Any]:
        """The rule as JSON."""
        return {"max_age_days": self.max_age_days, "max_mb": self.max_mb}

    @classmethod
    def from_dict(cls, kept: object) -> RetentionRule:
        """The rule that ``to_dict`` gave; one without limits for anything else, for no run may go by mistake."""
        try:
            return cls(kept["max_age_days"], kept["max_mb"])  # type: ignore[index]
        except (KeyError, TypeError, ValueError):
            return cls()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What applying the rule did: ``at`` the last time; ``removed`` (by the rule) and ``purged`` (deleted by hand before) the last time
    that anything went, ``removed_at``.
    """

    at: datetime
    removed_at: datetime | None = None
    removed: int = 0
    purged: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The outcome as JSON."""
        removed_at = self.removed_at.isoformat() if self.removed_at else None
        return {"at": self.at.isoformat(), "removed_at": removed_at, "removed": self.removed, "purged": self.purged}

    @classmethod
    def from_dict(cls, kept: object) -> Outcome | None:
        """The outcome that ``to_dict`` gave; None for anything else."""
        try:
            removed_at = kept["removed_at"]  # type: ignore[index]
            return cls(
                datetime.fromisoformat(kept["at"]),  # type: ignore[index]
                datetime.fromisoformat(removed_at) if removed_at else None,
                int(kept["removed"]),  # type: ignore[index]
                int(kept["purged"]),  # type: ignore[index]
            )
        except (KeyError, TypeError, ValueError):
            return None


class Preferences(Protocol):
    """Where the rule is kept."""

    def find(self, name: str) -> Any:
        """The value, or None."""
        ...

    def save(self, name: str, value: Any) -> None:
        """Keep a value."""
        ...


class Runs(Protocol):
    """Whose runs go."""

    def retain(self, *, max_age: timedelta | None = None, max_bytes: int | None = None) -> int:
        """Remove for good what is too old or too much; how many."""
        ...

    def purge(self, deleted_before: datetime) -> int:
        """Remove for good what was deleted before a moment; how many."""
        ...


class Purged(Protocol):
    """What else is removed for good some days after it was deleted by hand."""

    def purge(self, deleted_before: datetime) -> int:
        """Remove for good what was deleted before a moment; how many."""
        ...


class Counted(Protocol):
    """Who counts before anything goes."""

    def falling(self, *, max_age: timedelta | None = None, max_bytes: int | None = None) -> Falling:
        """What would go."""
        ...


class Retention:
    """The installation's rule, and its application. Any thread; StorageProblem while the database cannot be used.

    ``others`` are purged with the runs that were deleted by hand, and not counted.
    """

    def __init__(
        self,
        preferences: Preferences,
        runs: Runs,
        counted: Counted,
        *,
        others: Sequence[Purged] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._preferences = preferences
        self._runs = runs
        self._counted = counted
        self._others = others
        self._now = now
        self._applying = threading.Lock()
        self._soon: threading.Thread | None = None

    @property
    def rule(self) -> RetentionRule:
        """The rule that counts."""
        return RetentionRule.from_dict(self._preferences.find(RULE))

    @property
    def outcome(self) -> Outcome | None:
        """What the last application did; None before the first."""
        return Outcome.from_dict(self._preferences.find(OUTCOME))

    @property
    def applying(self) -> bool:
        """Whether runs are being removed just now."""
        return self._applying.locked() or (self._soon is not None and self._soon.is_alive())

    def falling(self, rule: RetentionRule) -> Falling:
        """What ``rule`` would take if it was applied now."""
        return self._counted.falling(max_age=rule.max_age, max_bytes=rule.max_bytes)

    def save(self, rule: RetentionRule) -> None:
        """Let ``rule`` count from now on; nothing goes yet."""
        self._preferences.save(RULE, rule.to_dict())

    def apply(self) -> Outcome:
        """Remove what the rule says, and for good what was deleted more than ``DELETED_FOR`` ago. One application at a time."""
        with self._applying:
            rule = self.rule
            removed = 0 if rule.off else self._runs.retain(max_age=rule.max_age, max_bytes=rule.max_bytes)
            moment = self._now()
            purged = self._runs.purge(moment - DELETED_FOR)
            for other in self._others:
                other.purge(moment - DELETED_FOR)
            before = self.outcome
            if removed or purged:
                log.info("retention removed %d runs, and %d that were deleted", removed, purged)
                done = Outcome(moment, moment, removed, purged)
            else:
                done = Outcome(moment, before.removed_at, before.removed, before.purged) if before else Outcome(moment)
            self._preferences.save(OUTCOME, done.to_dict())
            return done

    def apply_soon(self) -> None:
        """Apply the rule in a thread of its own."""
        self._soon = threading.Thread(target=self._apply_quietly, name="retention", daemon=True)
        self._soon.start()

    async def keep_applying(self, first_s: float = FIRST_S, interval_s: float = INTERVAL_S) -> None:
        """Apply the rule after ``first_s`` seconds and then every ``interval_s``, until cancelled."""
        await asyncio.sleep(first_s)
        while True:
            await asyncio.to_thread(self._apply_quietly)
            await asyncio.sleep(interval_s)

    def _apply_quietly(self) -> None:
        try:
            self.apply()
        except StorageProblem as problem:
            log.warning("retention was not applied: %s", problem.cause)
        except Exception:
            log.exception("retention failed")
