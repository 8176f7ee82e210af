"""Presets: a draft or a whole comparison under a name, in versions that never change; as rows, and as files."""
