"""The applications of one process of the tests: built once for each settings, and as new for every test.

To build one takes longer than most tests. So an application is kept, and before each test it gets another
database and loses all that it has counted, cached or been given. What a test does to it beyond that (such
as another route) needs an application that nobody else gets: mark such a test with `own_app`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType
from typing import Any

import sqlalchemy as sa
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from prometheus_client.metrics import MetricWrapperBase

from app import apps, create_app, portal
from app.application import make_worker
from app.console.overview.funnel import SlowAnswers
from app.core import db
from app.core.config import Settings
from tests.support import engines
from tests.support.lasting import LastingConnections
from tests.support.transactions import forbid_open_transactions


class CompiledTemplates(BytecodeCache):
    """What templates are compiled to. It is the same in every application, and takes a second for each."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what another application has compiled."""
        bucket.code = self._compiled.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it for the others."""
        self._compiled[bucket.key, bucket.checksum] = bucket.code


@dataclass(frozen=True)
class _Kept:
    app: Flask
    settings: Settings
    extensions: dict[str, Any]  # as they were when it was built
    config: dict[str, Any]
    template_globals: dict[str, Any]


class Applications:
    """All applications of this process.

    `stripe` answers their calls; `like` lends compiled statements, and `lasting` connections to PostgreSQL.
    """

    def __init__(
        self, stripe: Callable[..., Any], like: sa.Engine, lasting: LastingConnections | None = None
    ) -> None:
        self._stripe = forbid_open_transactions(stripe)
        self._like = like
        self._lasting = lasting
        self._templates = CompiledTemplates()
        self._kept: list[_Kept] = []

    def take(self, settings: Settings, *, own: bool = False) -> Flask:
        """Give the application with these settings, as if it had just been built; `own` really builds it."""
        known = None if own else self._find(settings)
        if known is None:
            known = self._build(settings)
            if not own:
                self._kept.append(known)
        _renew(known, settings)
        engines.hasten(known.app, like=self._like, lasting=self._lasting)
        return known.app

    def _find(self, settings: Settings) -> _Kept | None:
        wanted = _without_database(settings)
        return next((kept for kept in self._kept if kept.settings == wanted), None)

    def _build(self, settings: Settings) -> _Kept:
        app = create_app(settings, stripe_in_process=self._stripe)
        app.jinja_env.bytecode_cache = self._templates
        app.testing = False  # errors are answered as they are in production
        return _Kept(
            app,
            _without_database(settings),
            dict(app.extensions),
            dict(app.config),
            dict(app.jinja_env.globals),
        )


def _without_database(settings: Settings) -> Settings:
    return settings.model_copy(update={"database_url": ""})


def _renew(kept: _Kept, settings: Settings) -> None:
    """Take away what earlier tests have left behind."""
    app, extensions = kept.app, kept.app.extensions
    for held, original in (
        (extensions, kept.extensions),
        (app.config, kept.config),
        (app.jinja_env.globals, kept.template_globals),
    ):
        held.clear()
        held.update(original)
    extensions["gangway.settings"] = settings
    connections = extensions["gangway.connections"]
    extensions["gangway.connections"] = apps.Connections(connections.sealer, connections.gateway_factory)
    extensions["gangway.portal"] = portal.PublishedSettings()
    extensions["gangway.slow_answers"] = SlowAnswers()
    extensions["gangway.worker"] = make_worker(app, settings.worker_threads)
    for counter in vars(extensions["gangway.metrics"]).values():
        if isinstance(counter, MetricWrapperBase):
            counter.clear()
    extensions["gangway.limits"].reset()
    db.connect(app, sa.make_url(settings.database_url))
