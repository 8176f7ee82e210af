"""Knowledge bases: documents cut into chunks, found by words, by meaning, or both, and filtered by their metadata. See `store`."""
