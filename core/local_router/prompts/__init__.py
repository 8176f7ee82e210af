"""Stored prompts: a library with versions, the step of the pipeline that uses one, and ``/v2/prompts``. See ``store`` and ``routes``."""
