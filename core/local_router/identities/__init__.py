"""Who asks, and what for: identities and threads with what they used, and the addresses they are read at. See ``ledger`` and ``routes``."""
