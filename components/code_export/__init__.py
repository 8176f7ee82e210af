"""*View code*: a request in the language one wants, to copy or save."""

from components.code_export.code_export import code_dialog, code_export

__all__ = ["code_dialog", "code_export"]
