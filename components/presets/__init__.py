"""Presets: the line that says what differs, and the library."""
