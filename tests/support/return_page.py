"""The return page, as the person who comes back from Stripe sees it."""

from flask.testing import FlaskClient

from tests.support.browser import Page

DECLINED, WANTS_3DS, DECLINED_AFTER_3DS = "4000000000000002", "4000002500003155", "4000008400001629"


def look(client: FlaskClient, path: str = "/return") -> Page:
    answer = client.get(path)
    assert answer.status_code == 200
    return Page.of(answer)
