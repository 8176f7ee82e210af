"""A request as code: curl, Python and JavaScript that send what the playground sends. `languages` says which there are for a call."""

from core.snippets.call import Call, call_to
from core.snippets.languages import LANGUAGES, Language, language, languages

__all__ = ["LANGUAGES", "Call", "Language", "call_to", "language", "languages"]
