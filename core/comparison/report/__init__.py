"""A comparison to take away: everything as JSON, or a report to read as Markdown, alone or in a .zip with its charts."""
