"""*Import*: a call from elsewhere becomes the draft."""

from components.code_import.code_import import code_import, imported_line

__all__ = ["code_import", "imported_line"]
