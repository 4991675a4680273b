"""The portal's settings: drafts, versions, variables that win, previews, and files of the brand."""

from tests.mutants.mutant import Mutant

DRAFTS = "app/portal/drafts.py"
CONSOLE = "tests/console/portal/test_portal.py"

MUTANTS = (
    Mutant(
        "a draft is published that the editor has not seen",
        DRAFTS,
        "if found.revision != revision:",
        "if found.revision < revision:",
        f"{CONSOLE}::test_publishes_only_what_the_editor_has_seen",
    ),
    Mutant(
        "an old draft undoes a newer version",
        DRAFTS,
        "    if is_overtaken(session, found):\n",
        "    if found.based_on > revision:\n",
        f"{CONSOLE}::test_warns_of_a_draft_that_would_undo_a_newer_version",
    ),
    Mutant(
        "an editor replaces another's change unnoticed",
        "app/console/portal/section_page.py",
        "if form.base.data != digest:",
        "if not form.base.data:",
        f"{CONSOLE}::test_keeps_two_editors_apart",
    ),
    Mutant(
        "the console changes what a variable decides",
        "app/console/portal/section_form.py",
        'if ".".join(place) not in decided:',
        "if place:",
        f"{CONSOLE}::test_says_which_variable_wins_and_leaves_its_field_alone",
    ),
    Mutant(
        "a preview sends forms",
        "app/console/portal/preview_page.py",
        "\"form-action 'none'\",",
        "\"form-action 'self'\",",
        f"{CONSOLE}::test_previews_the_real_page_as_the_draft_has_it_and_stores_nothing",
    ),
    Mutant(
        "a variable decides for every profile",
        "app/portal/variables.py",
        'return portal.model_copy(update={"profiles": {**portal.profiles, portal.default_profile: changed}})',
        'return portal.model_copy(update={"profiles": dict.fromkeys(portal.profiles, changed)})',
        "tests/portal/test_published.py::test_lose_to_a_variable_that_is_set_in_the_default_profile_alone",
    ),
    Mutant(
        "an uploaded file of any kind is a logo",
        "app/portal/sections/brand.py",
        "if not SIGNATURES[self.media_type].match(content):",
        "if not content:",
        f"{CONSOLE}::test_refuses_a_brand_that_makes_no_sense",
    ),
    Mutant(
        "an SVG that is opened alone runs scripts",
        "app/portal/brand.py",
        "style-src 'unsafe-inline'; sandbox",
        "style-src 'unsafe-inline'",
        f"{CONSOLE}::test_stores_logos_and_serves_them_without_scripts",
    ),
    Mutant(
        "a browser sees what it signed up with another profile",
        "app/onboarding/actions.py",
        "*([profile] if profile else [])",
        '*([profile] if profile == "" else [])',
        "tests/onboarding/test_profiles.py::test_of_a_browser_are_apart",
    ),
    Mutant(
        name="old versions of the settings are kept without end",
        file="app/portal/actions.py",
        old="PortalVersion.id <= version.id - MAX_VERSIONS",
        new="PortalVersion.id <= 0",
        test="tests/portal/test_published.py::test_are_kept_in_their_latest_fifty_versions",
    ),
    Mutant(
        name="shared caches keep the files of a draft",
        file="app/portal/brand.py",
        old="    response.cache_control.private = is_draft() or None\n",
        new="",
        test="tests/console/portal/test_portal.py::test_previews_the_real_page_as_the_draft_has_it_and_stores_nothing",
    ),
    Mutant(
        "a company name with a line break gets into the subjects of emails",
        "app/portal/document.py",
        "(LINES.search(text.strip()) and not is_long)",
        "False",
        "tests/portal/test_command.py::test_import_names_what_is_wrong",
    ),
    Mutant(
        "a question with an odd name makes every sign-up fail",
        "app/onboarding/contact_form.py",
        "    validate_on_submit = None  # else",
        "    # else",
        "tests/onboarding/test_profile_form.py::test_a_question_of_any_name_can_be_answered",
    ),
    Mutant(
        "a visitor takes the reference that a hand-over would bring",
        "app/onboarding/forms.py",
        'dict.fromkeys(("key", "subject_keys"), "locked")',
        'dict.fromkeys(("subject_keys",), "locked")',
        "tests/onboarding/test_profile_form.py::TestFields::test_names_may_come_from_hand_overs_only",
    ),
    Mutant(
        "an export follows a link",
        "app/core/files.py",
        "not stat.S_ISREG(path.lstat().st_mode)",
        "not stat.S_ISREG(path.stat().st_mode)",
        "tests/portal/test_command.py::test_export_follows_no_link",
    ),
    Mutant(
        "a small file with a huge picture fills the memory of visitors",
        "app/core/pictures.py",
        "or width * height > MAX_PIXELS",
        "",
        "tests/portal/test_hostile_logos.py::test_a_picture_that_fills_the_memory_is_refused",
    ),
    Mutant(
        "a later rule makes stored settings unreadable",
        "app/portal/settings.py",
        "PortalSettings.model_validate(document, context=STORED)",
        "PortalSettings.model_validate(document)",
        "tests/portal/test_published.py::test_stay_in_force_when_a_rule_came_after_them",
    ),
    Mutant(
        "customers are sent to a host that browsers read as another",
        "app/core/addresses.py",
        "return str(IPv4Address(name)) if NUMBER.fullmatch(labels[-1]) else name",
        "return name",
        "tests/checkout/test_redirects.py::TestWithoutAList::test_a_host_that_can_not_be_is_refused",
    ),
    Mutant(
        "customers are sent to a host without a name",
        "app/core/addresses.py",
        "or not all(HOST_LABEL.fullmatch(label) for label in labels)",
        "",
        "tests/test_config.py::test_refuse_a_host_that_can_not_be",
    ),
    Mutant(
        "a closed portal opens when a newer release has stored its settings",
        "app/portal/cache.py",
        "row = connection.execute(newest.where(PortalVersion.id < row.id)).one_or_none()",
        "row = None",
        "tests/portal/test_published.py::test_are_the_newest_that_a_new_process_can_read",
    ),
)
