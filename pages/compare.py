"""Compare: settings side by side."""

from components.compare.compare import compare

compare()
