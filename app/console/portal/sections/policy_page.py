"""The section of the policies: who may sign up, consent, what Stripe collects, and the default method."""

from wtforms import BooleanField, SelectChoice, SelectField, StringField

from app.console.portal.sections.fields import LinesField
from app.console.portal.sections.section_form import SectionForm
from app.console.portal.sections.section_page import Section, add
from app.web.input.forms import max_length, one_line, trimmed


class PoliciesForm(SectionForm):
    """What customers may do, and what they agree to."""

    PLACES = {  # noqa: RUF012 (declared as a ClassVar in the base)
        "sign_up": ("sign_up",),
        "payment_method_policy": ("payment_method_policy",),
        "may_remove_last": ("billing", "may_remove_last"),
        "codes": ("billing", "codes"),
        "consent": ("consent", "kind"),
        "consent_version": ("consent", "version"),
        "consent_collection": ("checkout", "consent_collection"),
        "billing_address_collection": ("checkout", "billing_address_collection"),
        "tax_id_collection": ("checkout", "tax_id_collection"),
        "phone_number_collection": ("checkout", "phone_number_collection"),
        "allowed_payment_method_types": ("checkout", "allowed_payment_method_types"),
    }
    NONE_IF_BLANK = frozenset({"billing_address_collection"})

    sign_up = SelectField(
        "Who may sign up",
        choices=[
            SelectChoice("open", "Everybody"),
            SelectChoice("links", "Only people who have a link or come from your app"),
            SelectChoice("approval", "Everybody, once an operator approves"),
        ],
    )
    payment_method_policy = SelectField(
        "A newly saved payment method",
        choices=[
            SelectChoice("replace", "Becomes the default"),
            SelectChoice("keep", "Doesn’t change the default"),
            SelectChoice("ask", "The customer chooses"),
        ],
    )
    may_remove_last = BooleanField("Customers may remove their last payment method")
    codes = BooleanField(
        "Let customers into /billing with a code sent to their email address",
        description="This works as soon as the installation sends email.",
    )
    consent = SelectField(
        "Consent to your terms",
        choices=[
            SelectChoice("none", "None"),
            SelectChoice("sentence", "A sentence"),
            SelectChoice("checkbox", "A required checkbox"),
        ],
    )
    consent_version = StringField(
        "Version of your terms",
        filters=[trimmed, lambda value: value or ""],
        validators=[max_length(40), one_line],
        description="It is stored with each consent, as evidence.",
        render_kw={"maxlength": 40, "autocomplete": "off"},
    )
    consent_collection = BooleanField("Ask for consent on Stripe’s page, too")
    billing_address_collection = SelectField(
        "Billing address on Stripe’s page",
        choices=[
            SelectChoice("", "As Stripe decides"),
            SelectChoice("auto", "When it is needed"),
            SelectChoice("required", "Always"),
        ],
    )
    tax_id_collection = BooleanField("Ask for a tax id on Stripe’s page")
    phone_number_collection = BooleanField("Ask for a phone number on Stripe’s page")
    allowed_payment_method_types = LinesField(
        "Payment methods",
        description="One of Stripe’s types in each line, such as card. Blank: those of Stripe’s Dashboard.",
        render_kw={"rows": 3, "spellcheck": "false"},
    )


add(
    Section(
        name="policies",
        title="Policies",
        lead="Who may sign up, what customers agree to, and what happens to their payment methods.",
        form=PoliciesForm,
    )
)
