"""Embedding without a server: TF-IDF weights, turned into a few dimensions by a truncated SVD fitted to the base's own chunks.

That is latent semantic indexing (Deerwester et al. 1990, https://doi.org/10.1002/(SICI)1097-4571(199009)41:6<391::AID-ASI1>3.0.CO;2-9):
words used in the same chunks come to lie together. What is added later is *folded in*: weighed and projected by the same fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]

Matrix = NDArray[np.float32]

DIMENSIONS = 128
MOST_WORDS = 50_000
FITTED_ON = 20_000
"""Chunks a fit looks at, at most: of more, evenly spaced ones. All are embedded by it."""

_FEW_CHUNKS = 20  # below, no word is too rare or too frequent to count
_TOO_FREQUENT = 0.5  # of the chunks: such a word tells little apart
_SEED = 0


class LatentModel:
    """A fit; `embed` is thread-safe. Vectors have unit length, or are 0 for a text without a known word."""

    def __init__(self, weigher: TfidfVectorizer | None, components: Matrix | None) -> None:
        self._weigher = weigher
        self._components = components

    @classmethod
    def fit(cls, texts: Sequence[str]) -> LatentModel:
        """Fitted to ``texts``, at least one; takes about a second per 3,000 chunks, and for any number gives the same each time."""
        from sklearn.feature_extraction.text import TfidfVectorizer  # half a second to import
        from sklearn.utils.extmath import randomized_svd  # type: ignore[import-untyped]

        many = len(texts) >= _FEW_CHUNKS
        weigher = TfidfVectorizer(
            strip_accents="unicode",
            token_pattern=r"\w+",  # noqa: S106 (a pattern, no password)
            sublinear_tf=True,
            min_df=2 if many else 1,
            max_df=_TOO_FREQUENT if many else 1.0,
            max_features=MOST_WORDS,
            dtype=np.float32,
        )
        try:
            weights = weigher.fit_transform(texts)
        except ValueError:  # no word is left, as when all chunks are alike: count every word
            weigher.set_params(min_df=1, max_df=1.0)
            try:
                weights = weigher.fit_transform(texts)
            except ValueError:  # no word at all
                return cls(None, None)
        dimensions = min(DIMENSIONS, *weights.shape)
        _, _, components = randomized_svd(weights, n_components=dimensions, n_iter=4, random_state=_SEED)
        return cls(weigher, np.ascontiguousarray(components.T, dtype=np.float32))

    def embed(self, texts: Sequence[str]) -> Matrix:
        """One row per text."""
        if self._weigher is None or self._components is None:
            return np.zeros((len(texts), 1), dtype=np.float32)
        return unit(self._weigher.transform(texts) @ self._components)


def unit(rows: Matrix) -> Matrix:
    """``rows`` brought to length 1; rows of length 0 stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    lengths[lengths == 0] = 1
    return np.asarray(rows / lengths, dtype=np.float32)
