"""Prices and costs: exact, or unknown."""
