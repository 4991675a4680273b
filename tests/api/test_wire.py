"""What bodies and answers have in common."""

from app.api.wire import WireModel


def test_makes_the_checks_of_a_body_when_the_first_one_comes() -> None:
    class Body(WireModel):
        name: str

    complete = [Body.__pydantic_complete__]
    Body(name="ACME")
    complete.append(Body.__pydantic_complete__)

    assert complete == [False, True]
