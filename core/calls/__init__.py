"""How many calls a connection takes at once, who waits for a place, and how long calls take."""
