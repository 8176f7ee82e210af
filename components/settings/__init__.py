"""The parts of the Settings page: prices, retention, the state of the storage."""
