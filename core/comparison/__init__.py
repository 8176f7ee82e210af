"""Statistics of a comparison: is one slot really different from another, or is that noise?"""
