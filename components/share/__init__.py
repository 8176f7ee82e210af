"""Sharing on the page: the sheet that says what a link reveals, the page behind it, and the list of what one has shared."""
