"""One module for each sort of personal data: a pattern proposes, a library checks, words around it decide where a form is ambiguous.

Patterns are linear: no repetition stands inside a repetition that could match the same characters.
"""
