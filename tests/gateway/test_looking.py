"""What the gateway finds out for the doctor: the clock, what was sent."""

import time
from email.utils import formatdate

import pytest

from app.gateway import StripeKeyRejected, StripeUnavailable
from tests.support.stripe_scripted import Answer, Scripted, failure


class Cut(Scripted):
    """A Stripe that hangs up."""

    def __call__(self, _environ: object, _start_response: object) -> list[bytes]:
        """Hang up."""
        raise ConnectionResetError


def test_reads_stripes_clock_off_an_answer() -> None:
    ahead = {"Date": formatdate(time.time() + 100, usegmt=True)}

    skew = Scripted(Answer(200, {"id": "acct_1", "object": "account"}, ahead)).gateway.clock_skew()

    assert skew == pytest.approx(100, abs=2)


def test_reads_stripes_clock_off_a_refusal() -> None:
    behind = {"date": formatdate(time.time() - 100, usegmt=True)}
    refusal = failure(403, "invalid_request_error", message="No.")

    skew = Scripted(Answer(403, refusal.body, behind)).gateway.clock_skew()

    assert skew == pytest.approx(-100, abs=2)


def test_knows_no_clock_that_no_answer_tells() -> None:
    assert Scripted(Answer(200, {"id": "acct_1", "object": "account"})).gateway.clock_skew() is None


def test_knows_no_clock_without_an_answer() -> None:
    with pytest.raises(StripeUnavailable):
        Cut(Answer(200)).gateway.clock_skew()


def test_tells_no_rights_of_a_key_that_is_rejected() -> None:
    rejected = Scripted(failure(401, "invalid_request_error", message="Expired API Key provided."))
    gateway = rejected.gateway
    gateway.is_restricted = True

    with pytest.raises(StripeKeyRejected):
        gateway.permissions()
