"""Operators: roles, forms, sessions, login, the second factor, links that are good once, and API tokens."""

from tests.mutants.mutant import Mutant

TOKENS = "app/operators/auth/tokens.py"
GUARD = "app/operators/pages/guard.py"
SESSIONS = "app/operators/auth/sessions.py"
FACTOR = "app/operators/auth/second_factor.py"
LOGIN_PAGES = "app/operators/pages/login.py"
LOGIN = "app/operators/auth/login.py"
ACCOUNTS = "app/operators/auth/accounts.py"
LINKS = "app/operators/auth/one_time_links.py"

MUTANTS = (
    Mutant(
        "a token that may read may write",
        TOKENS,
        "if SCOPES.index(token.scope) < SCOPES.index(scope):",
        "if token.scope not in SCOPES:",
        "tests/operators/test_tokens.py::TestScopes::test_writing_needs_write",
    ),
    Mutant(
        "a revoked token is let in",
        TOKENS,
        "token is not None and token.revoked_at is None and (",
        "token is not None and (",
        "tests/operators/test_tokens.py::TestCommands::test_revoke_ends_a_token_at_once_and_may_be_repeated",
    ),
    Mutant(
        "an expired token is let in",
        TOKENS,
        "(not token.expires_at or token.expires_at > now)",
        "(not token.expires_at or token.expires_at is not None)",
        "tests/operators/test_tokens.py::TestLetIn::test_an_expired_token_is_told_the_same",
    ),
    Mutant(
        "a token is let in with any secret",
        TOKENS,
        "if token is None or not fits or not lives:",
        "if token is None or not lives:",
        "tests/operators/test_tokens.py::TestLetIn::test_a_good_id_with_another_secret_is_told_the_same",
    ),
    Mutant(
        "a viewer may do what admins may",
        GUARD,
        "if not operator.may(required):",
        "if not operator.role:",
        "tests/operators/test_roles.py::test_every_route_opens_to_its_role_and_those_above",
    ),
    Mutant(
        "another site may press an operator's buttons",
        GUARD,
        '            current_app.extensions["csrf"].protect()\n',
        "            pass\n",
        "tests/operators/test_roles.py::test_no_action_is_taken_without_a_good_token",
    ),
    Mutant(
        "an operator works without the second factor that is required",
        GUARD,
        "lacks_factor = settings().operator_require_totp and",
        "lacks_factor = operator.role == '' and",
        "tests/operators/test_second_factor.py::TestRequired::test_nothing_else_opens_before_it_is_set_up",
    ),
    Mutant(
        "an idle session never ends",
        SESSIONS,
        "OperatorSession.seen_at > now - timedelta(minutes=settings().operator_idle_minutes)",
        "OperatorSession.seen_at <= now",
        "tests/operators/test_sessions.py::TestEnding::test_after_an_hour_in_which_nothing_is_done",
    ),
    Mutant(
        "a busy session never ends",
        SESSIONS,
        "OperatorSession.created_at > now - timedelta(hours=settings().operator_session_hours)",
        "OperatorSession.created_at <= now",
        "tests/operators/test_sessions.py::TestEnding::test_after_twelve_hours_whatever_is_done",
    ),
    Mutant(
        "a page that reads itself keeps its operator logged in",
        SESSIONS,
        "> SEEN_INTERVAL and not is_unasked:",
        "> SEEN_INTERVAL:",
        "tests/console/overview/test_refresh.py::test_that_reads_itself_again_keeps_nobody_logged_in",
    ),
    Mutant(
        "a second login leaves the first session open",
        SESSIONS,
        "    if before is not None:\n",
        "    if before is not None and since is not None:\n",
        "tests/operators/test_sessions.py::TestFixation::test_a_second_log_in_of_one_browser_ends_its_first_session",
    ),
    Mutant(
        "a form that was planted before the login is good after it",
        SESSIONS,
        '    cookie.pop("csrf_token", None)  # a form',
        '    cookie.get("csrf_token", None)  # a form',
        "tests/operators/test_sessions.py::TestFixation::test_the_token_of_forms_is_a_new_one_after_the_log_in",
    ),
    Mutant(
        "a code is good twice",
        FACTOR,
        "Operator.totp_last_step < step)",
        "Operator.totp_last_step <= step)",
        "tests/operators/test_second_factor.py::TestLoggingIn::test_a_code_is_good_once",
    ),
    Mutant(
        "a code is good for many minutes",
        FACTOR,
        "range(now - TOLERANCE, now + TOLERANCE + 1)",
        "range(now - 10 * TOLERANCE, now + 10 * TOLERANCE)",
        "tests/operators/test_second_factor.py::TestLoggingIn::test_and_not_by_more",
    ),
    Mutant(
        "a recovery code is good twice",
        FACTOR,
        "            RecoveryCode.used_at.is_(None),\n        )\n        .values(",
        "        )\n        .values(",
        "tests/operators/test_second_factor.py::TestLoggingIn::test_a_recovery_code_lets_in_once",
    ),
    Mutant(
        "the recovery code of another operator lets in",
        FACTOR,
        "            RecoveryCode.operator_id == operator.id,\n            RecoveryCode.code_hash",
        "            RecoveryCode.code_hash",
        "tests/operators/test_second_factor.py::TestLoggingIn::test_a_recovery_code_of_another_operator_does_not",
    ),
    Mutant(
        "the login never expires between password and code",
        LOGIN_PAGES,
        "        and time.time() - at < MAX_CODE_WAIT\n",
        "",
        "tests/operators/test_second_factor.py::TestLoggingIn::test_the_password_is_good_for_ten_minutes",
    ),
    Mutant(
        "a former password goes on to the code",
        LOGIN_PAGES,
        "        and login.given_since(at, operator)\n",
        "",
        "tests/operators/test_second_factor.py::TestLoggingIn::test_and_for_nothing_once_the_account_is_another",
    ),
    Mutant(
        "the login page leads to another site",
        LOGIN_PAGES,
        'return page if re.fullmatch(r"/operator[/?][!-\\[\\]-~]*", page) else HOME',
        "return page or HOME",
        "tests/operators/test_login.py::TestLettingIn::test_leads_on_to_own_pages_only",
    ),
    Mutant(
        "the portal can be set up twice",
        LOGIN_PAGES,
        "    if queries.is_anybody(db.session()):\n        raise",
        "    if db.session() is None:\n        raise",
        "tests/operators/test_setup.py::TestSettingUp::test_is_gone_after_that",
    ),
    Mutant(
        "passwords of one account may be guessed without end",
        LOGIN,
        "limits.current().spend_items((limit, (what, key)) for limit, key in _buckets(email, operator))\n",
        "_buckets(email, operator)\n",
        "tests/operators/test_login.py::TestTooManyTries::test_one_account_is_closed_to_an_address_for_ten_minutes",
    ),
    Mutant(
        "an account that changes during the login is let in",
        LOGIN,
        "if operator.disabled_at is not None or operator.password_hash != checked:",
        "if operator.password_hash is None:",
        "tests/operators/test_login.py::TestSendingAway::test_looks_again_at_an_account_that_changes_meanwhile",
    ),
    Mutant(
        "the time of an answer tells who has an account",
        "app/operators/auth/passwords.py",
        "_hasher().verify(stored or NOBODY, _plain(password)) and stored is not None",
        "stored is not None and _hasher().verify(stored, _plain(password))",
        "tests/operators/test_login.py::TestSendingAway::test_says_and_does_the_same_whatever_is_wrong",
    ),
    Mutant(
        "a weak password is taken",
        "app/operators/auth/passwords.py",
        "if found.score < MIN_SCORE:",
        "if found.score < 0:",
        "tests/operators/test_account.py::TestPassword::test_says_what_is_wrong",
    ),
    Mutant(
        "the last admin is demoted",
        ACCOUNTS,
        "    if admins == {operator.id}:\n",
        "    if not admins:\n",
        "tests/operators/test_commands.py::TestChanging::test_keeps_the_last_admin",
    ),
    Mutant(
        "an admin changes the own role",
        ACCOUNTS,
        "if by is not None and by.id == operator.id:",
        "if by is not None and by.id is None:",
        "tests/operators/test_team.py::TestRoles::test_nobody_changes_the_own_one",
    ),
    Mutant(
        "a demoted admin goes on as before",
        ACCOUNTS,
        "    before, operator.role = operator.role, role.value\n    sessions.end_all(session, operator.id)\n",
        "    before, operator.role = operator.role, role.value\n",
        "tests/operators/test_team.py::TestRoles::test_holds_at_once_and_ends_the_sessions",
    ),
    Mutant(
        "a new password leaves the sessions open",
        ACCOUNTS,
        "    _set_password(operator, password)\n    sessions.end_all(session, operator.id)\n",
        "    _set_password(operator, password)\n",
        "tests/operators/test_setup.py::TestForgottenPassword::test_takes_the_place_of_the_old_and_ends_every_session",
    ),
    Mutant(
        "two admins who invite one address get a 500",
        ACCOUNTS,
        "    except IntegrityError as error:",
        "    except ZeroDivisionError as error:",
        "tests/operators/test_invited_meanwhile.py::test_the_address_is_marked_as_taken",
    ),
    Mutant(
        "an invitation never expires",
        LINKS,
        "OneTimeLink.expires_at > utcnow()",
        "OneTimeLink.expires_at.is_not(None)",
        "tests/operators/test_setup.py::TestInvitations::test_works_for_a_week",
    ),
    Mutant(
        "a token is shown twice",
        "app/operators/pages/one_time_flash.py",
        'del cookie["once"]',
        "pass",
        "tests/operators/test_token_pages.py::test_makes_a_token_that_works_and_is_shown_once",
    ),
    Mutant(
        "a token is shown to another operator",
        "app/operators/pages/one_time_flash.py",
        'return f"operator:{current().id}:once"',
        'return "operator:once"',
        "tests/operators/test_token_pages.py::test_is_not_shown_to_another_operator_in_this_browser",
    ),
)
