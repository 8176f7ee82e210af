"""One request over HTTP: one try, bytes to events to typed chunks, and what goes wrong on the way as one of our errors."""
