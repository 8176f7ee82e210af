"""The router's OpenAPI document, put together from one file for each group of addresses."""

from core.local_router.openapi.document import document, show_openapi

__all__ = ["document", "show_openapi"]
