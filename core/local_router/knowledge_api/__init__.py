"""The HTTP face of knowledge bases: what the page and the official SDK read, search and manage. See `routes`."""
