"""Calls that come from elsewhere: curl, Python, JavaScript, JSON, presets and HAR files, read into a draft and a report of what was lost.

Nothing that is read is ever executed.
"""

from core.importers.found import InvalidImport
from core.importers.loss_report import Import, Line
from core.importers.reading import read_import

__all__ = ["Import", "InvalidImport", "Line", "read_import"]
