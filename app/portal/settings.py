"""The settings of the portal: one JSON document, which has one profile or several."""

from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.core.errors import Conflict
from app.portal.sections.brand import Brand, Links
from app.portal.sections.form import Consent, Form, SignUp
from app.portal.sections.kinds import STORED, Label, Section, Slug, is_stored
from app.portal.sections.payment import (
    AfterSaving,
    BillingPolicy,
    CheckoutOptions,
    Origin,
    PaymentMethodPolicy,
    checked_origins,
)

Language = Literal["en", "de", "fr", "es", "it", "pt_BR", "nl", "pl", "ja", "ar"]
LANGUAGES: tuple[Language, ...] = ("en", "de", "fr", "es", "it", "pt_BR", "nl", "pl", "ja", "ar")
DEFAULT_SLUG = "default"
MAX_PROFILES = 50

TextName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Text = Annotated[str, StringConstraints(max_length=2000)]


class Profile(Section):
    """One brand or legal entity, with its own form, texts and Stripe app."""

    name: Label = "Default"  # only operators see it
    app_id: Annotated[str, StringConstraints(pattern=r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")] | None = None
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = LANGUAGES  # the first is the default
    brand: Brand = Brand()
    links: Links = Links()
    texts: dict[TextName, dict[Language, Text]] = Field(default_factory=dict)
    form: Form = Form()
    sign_up: SignUp = "open"
    consent: Consent = Consent()
    checkout: CheckoutOptions = CheckoutOptions()
    after: AfterSaving = AfterSaving()
    embed_origins: tuple[Origin, ...] = ()
    payment_method_policy: PaymentMethodPolicy = "replace"
    billing: BillingPolicy = BillingPolicy()

    @field_validator("languages")
    @classmethod
    def _each_once(cls, value: tuple[Language, ...]) -> tuple[Language, ...]:
        return tuple(dict.fromkeys(value))

    @field_validator("embed_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return checked_origins(value, is_stored=is_stored(info))

    @property
    def default_language(self) -> Language:
        """Return the language of visitors who ask for none that the profile has."""
        return self.languages[0]

    def text(self, name: str, locale: object) -> str | None:
        """Return the company's text in a language, else in the profile's first language, else None.

        A template adds our own words for None: `profile.text("signup_lead", locale) or _("…")`.
        """
        texts: dict[str, str] = {str(language): text for language, text in self.texts.get(name, {}).items()}
        return texts.get(str(locale)) or texts.get(self.default_language) or None


class PortalSettings(Section):
    """Everything that the product owner decides: the document that is stored, exported and imported."""

    profiles: Annotated[dict[Slug, Profile], Field(min_length=1, max_length=MAX_PROFILES)] = Field(
        default_factory=lambda: {DEFAULT_SLUG: Profile()}
    )
    default_profile: Slug = DEFAULT_SLUG

    @model_validator(mode="after")
    def _default_is_there(self) -> "PortalSettings":
        if self.default_profile not in self.profiles:
            raise ValueError(f"There is no profile {self.default_profile}: name one of the profiles.")
        return self

    @property
    def default(self) -> Profile:
        """Return the profile of visitors who come without another."""
        return self.profiles[self.default_profile]

    def slug_of(self, slug: str | None) -> str:
        """Return a slug if there is such a profile, else the default one."""
        return slug if slug in self.profiles else self.default_profile

    def profile_of(self, slug: str | None) -> Profile:
        """Return the profile with a slug, else the default one."""
        return self.profiles[self.slug_of(slug)]


class Unreadable(Conflict):
    """A newer release stored these settings."""

    title = "These settings can't be read"

    def __init__(self) -> None:
        super().__init__(
            "Another release of Gangway stored the portal's settings, and this one can't read them. Update"
            " this process, or publish older settings: gangway portal import FILE."
        )


def load_changed(document: dict[str, Any], *, before: dict[str, Any]) -> Profile:
    """Return a profile after an edit. Newer rules do not refuse what stood in it before.

    Raises ValidationError, which names what stood there too, for a change that is not allowed.
    """
    try:
        return Profile.model_validate(document)
    except ValidationError as error:
        if not _problems(document) <= _problems(before):
            raise error from None
    return Profile.model_validate(document, context=STORED)


def _problems(document: dict[str, Any]) -> set[tuple[str, str]]:
    try:
        Profile.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        return {(str(problem["loc"]), repr(problem["input"])) for problem in found}
    return set()


def load_stored(document: dict[str, Any]) -> PortalSettings:
    """Return settings that the database holds. Rules that are newer than the document do not refuse it.

    Raises Unreadable for one that this release can't read.
    """
    try:
        return PortalSettings.model_validate(document, context=STORED)
    except ValidationError as error:
        raise Unreadable from error
