"""Profiles of the portal, put in force as an admin does."""

from flask import Flask

from app import portal
from app.core import db


def publish_profiles(app: Flask, default: portal.Profile | None = None, **others: portal.Profile) -> None:
    """Put these profiles in force, by their slugs."""
    profiles = {"default": default or portal.Profile(), **others}
    with app.app_context():
        session = db.session()
        db.start_write(session)
        portal.publish(session, portal.PortalSettings(profiles=profiles), actor="operator:test")
        session.commit()
