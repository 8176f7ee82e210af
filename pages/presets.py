"""Presets: the library, the folder of files, the starters."""

from components.presets.library import library

library()
