"""Prompts: the stored prompts of the connected router, to look at, edit, and use."""

from components.prompts.library import prompt_library

prompt_library()
