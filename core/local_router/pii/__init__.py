"""``plugins: pii_redaction``: personal data is found, hidden from the model behind placeholders, and put back into the answer."""
