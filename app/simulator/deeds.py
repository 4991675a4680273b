"""What the controls can do, by name. Values come as text from a form or as they are from a program."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from app.simulator import accounts, ids
from app.simulator.store import DEFAULT_ACCOUNT

if TYPE_CHECKING:
    from app.simulator.simulator import Simulator

Form = Mapping[str, Any]
Deed = Callable[["Simulator", Form], object]


def perform(simulator: "Simulator", form: Form) -> object:
    """Do what the form's `action` says, and tell what came of it, if anything worth telling.

    Raises ValueError or KeyError when that can't be.
    """
    name = str(form.get("action", ""))
    if name not in DEEDS:
        raise ValueError(f"There is no action {name!r}. There are: {', '.join(DEEDS)}.")
    return DEEDS[name](simulator, {key: value for key, value in form.items() if key != "action"})


def _turn(simulator: "Simulator", form: Form) -> None:
    """Change fault settings. A form has no word for an unticked box: `boxes` names those it showed."""
    boxes = str(form.get("boxes", "")).split()
    wanted = {name: value for name, value in form.items() if name != "boxes"}
    simulator.fault_settings.change(dict.fromkeys(boxes, "off") | wanted)
    simulator.deliveries.wake()


def _reset(simulator: "Simulator", _form: Form) -> None:
    simulator.fault_settings.reset()
    simulator.faults.clear()
    simulator.deliveries.wake()


def _fault(simulator: "Simulator", form: Form) -> None:
    seconds = form.get("seconds")
    simulator.faults.add(
        str(form["kind"]),
        str(form.get("route") or "*"),
        int(form.get("times") or 1),
        seconds=float(seconds) if seconds else None,
    )


def _add_key(simulator: "Simulator", form: Form) -> None:
    accounts.add_key(
        simulator.store,
        str(form["key"]).strip(),
        account=form.get("account") or DEFAULT_ACCOUNT,
        permissions=_words(form, "permissions") or None,
    )


def _add_account(simulator: "Simulator", form: Form) -> None:
    """A new account with a key of its own."""
    now = simulator.clock.now()
    account = form.get("account") or f"acct_1RZzxY{ids.random_text(10)}"
    with simulator.store.transaction():
        name = form.get("name") or "Another Company"
        accounts.add_account(simulator.store, account, now, name=name)
        accounts.add_key(simulator.store, form["key"], account=account)


def _attach_card(simulator: "Simulator", form: Form) -> str:
    return simulator.attach_card(
        form["customer"],
        str(form.get("number") or "4242424242424242"),
        month=_number(form, "month"),
        year=_number(form, "year"),
        default=_yes(form, "default", otherwise="no"),
    )


def _renew_card(simulator: "Simulator", form: Form) -> None:
    month, year = _number(form, "month") or 12, _number(form, "year") or 2040
    simulator.renew_card(form["payment_method"], month=month, year=year, last4=form.get("last4") or None)


def _age_card(simulator: "Simulator", form: Form) -> None:
    simulator.age_card(form["payment_method"], month=_number(form, "month"), year=_number(form, "year"))


def _change_endpoint(simulator: "Simulator", form: Form) -> None:
    simulator.change_endpoint(
        form["endpoint"],
        enabled=_yes(form, "enabled") if "enabled" in form else None,
        url=form.get("url") or None,
        events=_words(form, "events") or None,
    )


def _roll_secret(simulator: "Simulator", form: Form) -> str:
    return simulator.roll_secret(form["endpoint"], overlap=float(form.get("overlap") or 0))


def _yes(form: Form, name: str = "ok", *, otherwise: str = "yes") -> bool:
    return str(form.get(name, otherwise)).lower() in {"true", "1", "on", "yes"}


def _words(form: Form, name: str) -> list[str]:
    """A list, or text with blanks between the words."""
    given = form.get(name) or []
    return given.split() if isinstance(given, str) else list(given)


def _number(form: Form, name: str) -> int | None:
    return int(form[name]) if form.get(name) else None


DEEDS: dict[str, Deed] = {
    "fault_settings": _turn,
    "reset": _reset,
    "release": lambda simulator, _: simulator.release(),
    "fault": _fault,
    "clear_faults": lambda simulator, _: simulator.faults.clear(),
    "advance": lambda simulator, form: simulator.advance(float(form["seconds"])),
    "expire_session": lambda simulator, form: simulator.expire_session(form["session"]),
    "microdeposits": lambda simulator, form: simulator.verify_microdeposits(form["session"], ok=_yes(form)),
    "attach_card": _attach_card,
    "choose_default": lambda simulator, form: simulator.choose_default(
        form["customer"], form.get("payment_method") or None
    ),
    "detach": lambda simulator, form: simulator.detach_payment_method(form["payment_method"]),
    "renew_card": _renew_card,
    "age_card": _age_card,
    "delete_customer": lambda simulator, form: simulator.delete_customer(form["customer"]),
    "mandate": lambda simulator, form: simulator.settle_mandate(form["mandate"], form["status"]),
    "replay": lambda simulator, form: simulator.replay_event(form["event"]),
    "change_endpoint": _change_endpoint,
    "delete_endpoint": lambda simulator, form: simulator.delete_endpoint(form["endpoint"]),
    "roll_secret": _roll_secret,
    "add_account": _add_account,
    "add_key": _add_key,
    "revoke_key": lambda simulator, form: accounts.revoke_key(simulator.store, form["key"]),
    "restore_key": lambda simulator, form: accounts.revoke_key(simulator.store, form["key"], revoked=False),
}
