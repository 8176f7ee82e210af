"""Stored prompts: their library, a draft that takes its text from one, and fields for what they leave open."""
