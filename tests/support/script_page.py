"""A page without a browser: its script, run by Streamlit's AppTest, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from streamlit.testing.v1 import AppTest

PAGES = Path(__file__).parents[2] / "pages"


class ScriptPage:
    """Reads like a person's clicks; each redraws the page and fails the test where the page raises. ``at`` is Streamlit's view of it."""

    SAYS: ClassVar[tuple[str, ...]] = ("markdown", "caption", "info", "error", "warning", "success")
    """The kinds of elements whose texts are ``words``."""

    def __init__(
        self,
        script: str | Callable[[], None],
        *,
        session: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        timeout_s: float = 30,
    ) -> None:
        """``script`` is a file of ``pages/`` or a function that draws; ``session`` are durable keys, ``query`` the address's parameters."""
        if isinstance(script, str):
            self.at = AppTest.from_file(str(PAGES / script), default_timeout=timeout_s)
        else:
            self.at = AppTest.from_function(script, default_timeout=timeout_s)
        for key, value in (session or {}).items():
            self.at.session_state[key] = value
        for name, value in (query or {}).items():
            self.at.query_params[name] = value

    def run(self) -> Self:
        self.at.run()
        assert not self.at.exception, self.at.exception[0].stack_trace
        return self

    def widget(self, key: str) -> Any:
        return self.at.get_by_key(key)

    def has(self, key: str) -> bool:
        try:
            self.widget(key)
        except KeyError:
            return False
        return True

    def set(self, key: str, value: object) -> Self:
        self.widget(key).set_value(value)
        return self.run()

    def click(self, key: str) -> Self:
        self.widget(key).click()
        return self.run()

    def open(self, key: str) -> Self:
        """Open a popover, a tab or an expander."""
        self.at.session_state[key] = True
        return self.run()

    def query(self, name: str) -> str:
        """A parameter of the page's address."""
        value = self.at.query_params[name]
        return value if isinstance(value, str) else value[0]

    @property
    def words(self) -> str:
        """Everything that is said, without the backslashes that keep it from being Markdown."""
        said = (element.value for kind in self.SAYS for element in getattr(self.at, kind))
        return "\n".join(map(str, said)).replace("\\", "")


def talking_to(base_url: str) -> dict[str, Any]:
    """The session of somebody who chose this router."""
    return {"session.connection": {"kind": "orq", "orq": {"base_url": base_url}}}
