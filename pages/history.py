"""History: every run, found again, compared, marked, exported."""

from components.history.history import history

history()
