"""What happens at Stripe without the portal: at its Dashboard, and through other programs."""

from typing import Any

from werkzeug.test import Client

from app.simulator import DEFAULT_API_KEY, Simulator

ACTIONS = ("expire", "attach", "choose", "unset", "detach", "renew", "age", "delete")
DAMAGES = ("disable", "delete", "move", "roll", "roll slowly")


def request(simulator: Simulator, method: str, path: str, **params: str) -> Any:
    """Call Stripe's API as another program with our key would."""
    headers = {"Authorization": f"Bearer {DEFAULT_API_KEY}"}
    answer = Client(simulator.wsgi).open(path, method=method, data=params, headers=headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def act(simulator: Simulator, session_id: str, action: str) -> None:
    """Do one of ACTIONS to the customer of a checkout session; attach a card if it has none to do it to."""
    customer = str(simulator.store.checkout_sessions[session_id]["customer"])
    methods = [m for m in simulator.store.payment_methods.snapshot() if m["customer"] == customer]
    cards = [method["id"] for method in methods if "card" in method]
    is_deleted = bool(simulator.store.customers[customer].get("deleted"))
    if action == "expire":
        simulator.expire_session(session_id)
    elif action == "delete":
        simulator.delete_customer(customer)
    elif action == "choose" and methods:
        simulator.choose_default(customer, methods[0]["id"])
    elif action == "unset" and methods:
        simulator.choose_default(customer, None)
    elif action == "detach" and methods:
        simulator.detach_payment_method(methods[-1]["id"])
    elif action == "renew" and cards:
        simulator.renew_card(cards[-1])
    elif action == "age" and cards:
        simulator.age_card(cards[-1])
    elif not is_deleted:
        simulator.attach_card(customer, default=not methods)


def damage_webhooks(simulator: Simulator, damage: str) -> None:
    """Do one of DAMAGES to our webhook endpoint."""
    for endpoint in list(simulator.store.webhook_endpoints):
        if damage == "disable":
            simulator.change_endpoint(endpoint, enabled=False)
        elif damage == "delete":
            simulator.delete_endpoint(endpoint)
        elif damage == "move":
            simulator.change_endpoint(endpoint, url="http://127.0.0.1:8000/elsewhere")
        else:
            simulator.roll_secret(endpoint, overlap=3600 if damage == "roll slowly" else 0)


def make_customer(simulator: Simulator) -> str:
    """Make a Stripe customer with a card that the portal knows nothing about. Return its id (cus_…)."""
    customer_id = simulator.create_customer("Another program's")
    simulator.attach_card(customer_id, default=True)
    return customer_id
