"""Who may use the API, and later the desk."""

from app.operators.actions import admit, create_token
from app.operators.models import ApiToken

__all__ = ["ApiToken", "admit", "create_token"]
