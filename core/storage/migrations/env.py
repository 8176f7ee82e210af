"""Alembic's entry: runs migrations on the connection, and in the transaction, that ``core.storage.migration`` opened."""

from alembic import context

from core.storage.schema import metadata


def run() -> None:
    """Run what is missing."""
    context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
    context.run_migrations()


if __name__ == "env_py":  # the name Alembic gives it; imported by its own name it does nothing, as every module here
    run()
