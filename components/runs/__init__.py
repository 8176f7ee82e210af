"""A run on the page: its slot with form, Run, panel and summary, and the lane of what happened on the way."""
