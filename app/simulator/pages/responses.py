"""What all pages share: the security headers, and the names of payment methods."""

from urllib.parse import urlsplit

from flask import Response

TYPE_NAMES = {
    "card": "Card",
    "us_bank_account": "US bank account",
    "sepa_debit": "SEPA Direct Debit",
    "bacs_debit": "Bacs Direct Debit",
}


def secure_page(page: str, leads_to: str | None, status: int = 200) -> Response:
    """Make the response of a page, with the headers of a page that takes cards.

    Chromium applies `form-action` also to the redirect after a form, so it names the merchant's origin.
    """
    response = Response(page, status=status, mimetype="text/html")
    actions = "'self'"
    if leads_to:
        parts = urlsplit(leads_to)
        actions += f" {parts.scheme}://{parts.netloc}"
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {actions}"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
