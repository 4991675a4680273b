"""What follows an installation."""

import json
from typing import Any

from flask import Flask

from tests.support.stripe_postbox import event, signed

SECOND_KEY = "sk_test_of_the_same_account"
RIGHTS = {"rak_accounts_kyc_basic_read", "rak_webhook_write"}


def post_event(app: Flask, app_id: str, secret: str) -> int:
    """Deliver an event that Stripe signed with this secret."""
    body = json.dumps(event()).encode()
    path = f"/api/v1/apps/{app_id}/stripe/webhook"
    headers = {"Stripe-Signature": signed(secret, body)}
    return app.test_client().post(path, data=body, headers=headers).status_code


def refused(result: Any) -> str:
    """Why a command was refused; its exception is printed as a sentence by `gangway`."""
    assert result.exit_code != 0
    return str(getattr(result.exception, "detail", result.exception))
