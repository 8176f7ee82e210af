"""Models that need no network: ``local/…`` (a statistical language model) and ``rehearsal/…`` (failures on request)."""
