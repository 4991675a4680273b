"""Customer portal: configurations and sessions. Source: https://docs.stripe.com/api/customer_portal."""

import copy

from app.simulator.protocol import lists
from app.simulator.protocol.call import Call, operation
from app.simulator.protocol.errors import StripeError, missing_parameter, missing_resource
from app.simulator.protocol.fields import merge_metadata
from app.simulator.resources import customer_store
from app.simulator.store import JSON, ids

_FEATURES: JSON = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "options": []},
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_pause": {"enabled": False, "duration": {"interval_options": [], "type": "indefinite"}},
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "products": None,
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}


@operation("POST /v1/billing_portal/configurations")
def create_configuration(call: Call) -> JSON:
    configuration = _configuration(call, is_default=False)
    _change(configuration, call.params)
    return call.put(call.store.portal_configurations, configuration)


@operation("GET /v1/billing_portal/configurations/{configuration}")
def retrieve_configuration(call: Call) -> JSON:
    name = call.path["configuration"]
    found = call.store.portal_configurations.find(name, call.account)
    if found is None:
        raise missing_resource("configuration", name, "configuration", status=404)
    return found


@operation("POST /v1/billing_portal/configurations/{configuration}")
def update_configuration(call: Call) -> JSON:
    configuration = copy.deepcopy(retrieve_configuration(call))
    _change(configuration, call.params)
    configuration |= {"active": call.params.get("active", configuration["active"])}
    configuration["updated"] = call.now
    return call.put(call.store.portal_configurations, configuration)


@operation("GET /v1/billing_portal/configurations")
def index_configurations(call: Call) -> JSON:
    filters = {name: call.params[name] for name in ("active", "is_default") if name in call.params}
    return lists.page(
        call,
        call.store.portal_configurations,
        "configuration",
        lambda configuration: all(configuration[name] == value for name, value in filters.items()),
    )


@operation("POST /v1/billing_portal/sessions")
def create_session(call: Call) -> JSON:
    """Create a session. Without a configuration it uses the account's default, and creates it if needed."""
    given = call.params
    if "customer" not in given:
        raise missing_parameter("customer")
    customer_store.find_customer(call, given["customer"])
    named = given.get("configuration")
    if named is None:
        configuration = _default_configuration(call)
    else:
        found = call.store.portal_configurations.find(named, call.account)
        if found is None:
            raise missing_resource("configuration", named, "configuration")
        configuration = found
    if "flow_data" in given:
        raise StripeError("This simulator does not know flow_data.", param="flow_data")
    session = {
        "id": call.new_id("bps"),
        "object": "billing_portal.session",
        "after_expiration": None,
        "configuration": configuration["id"],
        "created": call.now,
        "customer": given["customer"],
        "customer_account": None,
        "flow": None,
        "livemode": False,
        "locale": given.get("locale"),
        "on_behalf_of": None,
        "return_url": given.get("return_url") or configuration["default_return_url"],
        "url": f"{call.public_url}/p/session/test_{ids.random_text(40)}",
    }
    call.emit("billing_portal.session.created", session)
    return call.put(call.store.portal_sessions, session)


def _default_configuration(call: Call) -> JSON:
    for configuration in call.store.portal_configurations.newest(call.account):
        if configuration["is_default"]:
            return configuration
    configuration = _configuration(call, is_default=True)
    configuration["features"]["payment_method_update"]["enabled"] = True
    return call.put(call.store.portal_configurations, configuration)


def _configuration(call: Call, *, is_default: bool) -> JSON:
    return {
        "id": call.new_id("bpc"),
        "object": "billing_portal.configuration",
        "active": True,
        "application": None,
        "business_profile": {
            "headline": None,
            "privacy_policy_url": None,
            "terms_of_service_url": None,
        },
        "created": call.now,
        "default_return_url": None,
        "features": copy.deepcopy(_FEATURES),
        "is_default": is_default,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "name": None,
        "updated": call.now,
    }


def _change(configuration: JSON, given: JSON) -> None:
    for name in ("default_return_url", "name"):
        if name in given:
            configuration[name] = given[name] or None
    for name, value in (given.get("business_profile") or {}).items():
        configuration["business_profile"][name] = value or None
    if "metadata" in given:
        configuration["metadata"] = merge_metadata(configuration["metadata"], given["metadata"])
    if "login_page" in given:
        configuration["login_page"] = {"enabled": given["login_page"]["enabled"], "url": None}
    for feature, changes in given.get("features", {}).items():
        shown = configuration["features"].get(feature, {})
        for name in shown.keys() & changes.keys():
            if isinstance(shown[name], dict):
                inner = shown[name].keys() & changes[name].keys()
                shown[name] |= {part: _unset(changes[name][part]) for part in inner}
            else:
                shown[name] = _unset(changes[name])


def _unset(value: object) -> object:
    return [] if value == "" else value
