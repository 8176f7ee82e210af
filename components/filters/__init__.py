"""Metadata filters, built from conditions or written as JSON."""
