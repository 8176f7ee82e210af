"""Shared: what a link shows, and what one has shared."""

from components.share.shared_page import shared_page

shared_page()
