"""Runs that outlive the click, and the event streams over which pages follow them."""
