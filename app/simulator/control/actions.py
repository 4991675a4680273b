"""The actions of the controls, by name. A form sends text, a program sends JSON values."""

from collections.abc import Callable, Mapping
from typing import Any

from app.simulator.engine import Engine
from app.simulator.protocol.keys import add_key, revoke_key
from app.simulator.resources.accounts import add_account
from app.simulator.store import DEFAULT_ACCOUNT, ids

Form = Mapping[str, Any]
_LISTS = {"permissions", "events"}  # fields with several values, each a text
_TEXTS = {"account", "customer", "endpoint", "key", "name", "payment_method", "session", "url"}
Action = Callable[[Engine, Form], object]


def perform(engine: Engine, form: Form) -> object:
    """Run the action that the form's `action` names, and return its result.

    Raises ValueError, OverflowError or KeyError when the action is impossible.
    """
    name = str(form.get("action", ""))
    if name not in ACTIONS:
        raise ValueError(f"There is no action {name!r}. There are: {', '.join(ACTIONS)}.")
    for field, value in form.items():
        if isinstance(value, dict | list) and not (isinstance(value, list) and field in _LISTS):
            raise ValueError(f"{field} is one value.")
        if field in _LISTS | _TEXTS and not all(isinstance(text, str) for text in _items(value)):
            raise ValueError(f"{field} is text.")
    return ACTIONS[name](engine, {key: value for key, value in form.items() if key != "action"})


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _change_settings(engine: Engine, form: Form) -> None:
    """Change fault settings. Forms omit unticked boxes, so `boxes` names all boxes of the form."""
    boxes = str(form.get("boxes", "")).split()
    changes = {name: value for name, value in form.items() if name != "boxes"}
    engine.fault_settings.change(dict.fromkeys(boxes, "off") | changes)
    engine.deliveries.wake()


def _reset(engine: Engine, _form: Form) -> None:
    engine.fault_settings.reset()
    engine.faults.clear()
    engine.deliveries.wake()


def _fault(engine: Engine, form: Form) -> None:
    seconds = form.get("seconds")
    engine.faults.add(
        str(form["kind"]),
        str(form.get("route") or "*"),
        int(form.get("times") or 1),
        seconds=float(seconds) if seconds else None,
    )


def _add_key(engine: Engine, form: Form) -> None:
    add_key(
        engine.store,
        str(form["key"]).strip(),
        account=form.get("account") or DEFAULT_ACCOUNT,
        permissions=_words(form, "permissions") or None,
    )


def _add_account(engine: Engine, form: Form) -> None:
    """Add an account and its key."""
    now = engine.clock.now()
    account = form.get("account") or f"acct_1RZzxY{ids.random_text(10)}"
    with engine.store.transaction():
        name = form.get("name") or "Another Company"
        add_account(engine.store, account, now, name=name)
        add_key(engine.store, form["key"], account=account)


def _attach_card(engine: Engine, form: Form) -> str:
    return engine.attach_card(
        form["customer"],
        str(form.get("number") or "4242424242424242"),
        month=_number(form, "month"),
        year=_number(form, "year"),
        default=_yes(form, "default", otherwise="no"),
    )


def _renew_card(engine: Engine, form: Form) -> None:
    month, year = _number(form, "month") or 12, _number(form, "year") or 2040
    engine.renew_card(form["payment_method"], month=month, year=year, last4=form.get("last4") or None)


def _age_card(engine: Engine, form: Form) -> None:
    engine.age_card(form["payment_method"], month=_number(form, "month"), year=_number(form, "year"))


def _change_endpoint(engine: Engine, form: Form) -> None:
    engine.change_endpoint(
        form["endpoint"],
        enabled=_yes(form, "enabled") if "enabled" in form else None,
        url=form.get("url") or None,
        events=_words(form, "events") or None,
    )


def _roll_secret(engine: Engine, form: Form) -> str:
    return engine.roll_secret(form["endpoint"], overlap=float(form.get("overlap") or 0))


def _yes(form: Form, name: str = "ok", *, otherwise: str = "yes") -> bool:
    return str(form.get(name, otherwise)).lower() in {"true", "1", "on", "yes"}


def _words(form: Form, name: str) -> list[str]:
    """Return a list, or the words of a text."""
    given = form.get(name) or []
    return given.split() if isinstance(given, str) else list(given)


def _number(form: Form, name: str) -> int | None:
    return int(form[name]) if form.get(name) else None


ACTIONS: dict[str, Action] = {
    "fault_settings": _change_settings,
    "reset": _reset,
    "release": lambda engine, _: engine.release(),
    "fault": _fault,
    "clear_faults": lambda engine, _: engine.faults.clear(),
    "advance": lambda engine, form: engine.advance(float(str(form["seconds"]))),
    "expire_session": lambda engine, form: engine.expire_session(form["session"]),
    "microdeposits": lambda engine, form: engine.verify_microdeposits(form["session"], ok=_yes(form)),
    "attach_card": _attach_card,
    "choose_default": lambda engine, form: engine.choose_default(
        form["customer"], form.get("payment_method") or None
    ),
    "detach": lambda engine, form: engine.detach_payment_method(form["payment_method"]),
    "renew_card": _renew_card,
    "age_card": _age_card,
    "delete_customer": lambda engine, form: engine.delete_customer(form["customer"]),
    "mandate": lambda engine, form: engine.settle_mandate(form["mandate"], form["status"]),
    "replay": lambda engine, form: engine.replay_event(form["event"]),
    "change_endpoint": _change_endpoint,
    "delete_endpoint": lambda engine, form: engine.delete_endpoint(form["endpoint"]),
    "roll_secret": _roll_secret,
    "add_account": _add_account,
    "add_key": _add_key,
    "revoke_key": lambda engine, form: revoke_key(engine.store, form["key"]),
    "restore_key": lambda engine, form: revoke_key(engine.store, form["key"], revoked=False),
}
