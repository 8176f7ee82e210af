"""What outlives the process: runs, attempts, drafts and cached answers, on SQLite by default and on PostgreSQL by ``DATABASE_URL``.

``Database`` is the connection; each repository is one noun of one owner. Knowledge is not here: the local router keeps it itself.
"""
