"""Sharing: frozen snapshots of presets, runs and comparisons, what they reveal, and the links and files that carry them."""
