"""Every section of a profile, in the order of their menu."""

from app.console.portal import (
    brand_page,
    general_page,
    language_page,
    link_page,
    text_page,
)

__all__ = ["brand_page", "general_page", "language_page", "link_page", "text_page"]
