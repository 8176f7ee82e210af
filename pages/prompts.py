"""Prompts: the stored prompts of the connected router, to look at, edit, and use."""

from components.prompt_library import prompt_library

prompt_library()
