"""Takes the pictures of the README: `python -m tests.browser.pictures`.

It starts a demo with people in it, and photographs the pages in Chromium at a fixed size. Look at the
pictures before you commit them.
"""

import base64
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from app import apps, create_app
from app.cli import demo
from app.core import db
from app.core.config import Settings
from app.core.db import new_id, utcnow
from app.core.environment import find_sources
from app.customers import Customer
from app.payers import Payer
from tests.browser.conftest import CHROMIUM_OPTIONS, PATIENCE
from tests.support.walk import expect_title, follow, save_card

FOLDER = Path(__file__).parent.parent.parent / ".readme"
HALF: ViewportSize = {"width": 800, "height": 816}
CONSOLE: ViewportSize = {"width": 1280, "height": 1080}
QUALITY = 82  # of WebP, from 0 to 100
# Of the sign-ups of a month: how many of each status, how many on each of the last days, and their names.
STATUSES = {"saved": 37, "in_progress": 3, "abandoned": 2, "expiring": 1}
BY_DAY = (0, 2, 3, 1, 2, 0, 0, 3, 2, 4, 1, 2, 0, 1, 2, 2, 1, 3, 2, 0, 0, 1, 2, 3, 2, 1, 0, 1, 2)
SCATTER = 5  # has no factor in common with the number of people
NAMES = (
    *("Harbour Analytics", "Lumen Logistics", "Okafor & Daughters", "Brightwater Energy", "Kite Robotics"),
    *("Marlowe Media", "Tanaka Instruments", "Vega Diagnostics", "Petit et Fils", "Lindqvist Maskin"),
)


def main() -> None:
    """Take both pictures."""
    expect.set_options(timeout=PATIENCE)
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        ports = _free_ports()
        with demo.launch(port=ports[0], stripe_port=ports[1], folder=Path(folder)) as facts:
            _fill(Path(folder))
            browser = playwright.chromium.launch(executable_path=found, args=CHROMIUM_OPTIONS)
            take_portal(browser, facts["portal"])
            admin = next(who for who in facts["operators"] if who["role"] == "admin")
            take_console(browser, facts["portal"], admin["email"], admin["password"])
            browser.close()


def take_portal(browser: Browser, url: str) -> None:
    """Photograph the form and the page after it, side by side."""
    with _opened(browser, url, HALF) as page:
        _sign_up(page, "Northgate Robotics", "billing@northgate.example.com")
        filled = _photograph(page)
        follow(page, page.get_by_role("button", name="Continue to payment"))
        save_card(page)
        expect_title(page, "Your payment method is saved")
        saved = _photograph(page)
    both: ViewportSize = {"width": 2 * HALF["width"], "height": HALF["height"]}
    with _opened(browser, url, both) as page:
        images = "".join(f'<img src="data:image/webp;base64,{picture}">' for picture in (filled, saved))
        page.set_content(f'<body style="margin: 0; display: flex">{images}')
        page.wait_for_function("[...document.images].every((image) => image.complete)")
        _write("portal", _photograph(page))


def take_console(browser: Browser, url: str, email: str, password: str) -> None:
    """Photograph the overview, with a customer who was declined and one who is on Stripe's page."""
    with _opened(browser, url, HALF) as page:
        _sign_up(page, "Bergmann Metering", "ap@bergmann.example.com")
        follow(page, page.get_by_role("button", name="Continue to payment"))
        page.locator("[name=card_number]").fill("4000000000000002")
        page.locator("[name=expiry]").fill("12 / 40")
        page.locator("[name=cvc]").fill("123")
        page.locator("[name=name]").fill("Lena Bergmann")
        page.get_by_role("button", name="Save card").click()
        page.goto("/return")
        expect_title(page, "Your payment method wasn’t saved")
    with _opened(browser, url, HALF) as page:
        _sign_up(page, "Delacroix Cloud", "finance@delacroix.example.com")
        follow(page, page.get_by_role("button", name="Continue to payment"))
    with _opened(browser, url, CONSOLE) as page:
        page.goto("/operator/login")
        page.locator("[name=email]").fill(email)
        page.locator("[name=password]").fill(password)
        follow(page, page.locator("main button[type=submit]"))
        page.goto("/operator/")
        expect(page.get_by_role("heading", name="1 Declined")).to_be_visible()
        _write("console", _photograph(page))


@contextmanager
def _opened(browser: Browser, url: str, size: ViewportSize) -> Iterator[Page]:
    context = browser.new_context(base_url=url, viewport=size, locale="en", color_scheme="light")
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def _sign_up(page: Page, name: str, email: str) -> None:
    page.goto("/signup")
    page.get_by_label("Company or your name").fill(name)
    page.get_by_label("Email address").fill(email)


def _photograph(page: Page) -> str:
    """Return the visible part of a page as WebP, in base64."""
    page.mouse.move(0, 0)
    devtools = page.context.new_cdp_session(page)
    options = {"format": "webp", "quality": QUALITY}
    return str(devtools.send("Page.captureScreenshot", options)["data"])


def _write(name: str, picture: str) -> None:
    (FOLDER / f"{name}.webp").write_bytes(base64.b64decode(picture))


def _fill(folder: Path) -> None:
    """Add people who signed up in the last four weeks: the same ones, on the same days, each time."""
    app = create_app(Settings.load(find_sources(data_folder=folder)))
    with app.app_context():
        session = db.session()
        db.start_write(session)
        app_id = apps.find(session).id
        days = [day for day, many in enumerate(BY_DAY) for _ in range(many)]
        statuses = [status for status, many in STATUSES.items() for _ in range(many)]
        for number, day in enumerate(days):
            at = utcnow() - timedelta(days=day, minutes=number)
            status = statuses[number * SCATTER % len(statuses)]
            customer = Customer(id=new_id(), name=NAMES[number % len(NAMES)], created_at=at, updated_at=at)
            session.add(customer)
            session.flush()
            session.add(
                Payer(
                    app_id=app_id,
                    customer_id=customer.id,
                    stripe_customer_id=f"cus_{new_id()[-14:]}",
                    status=status,
                    status_since=at,
                    status_until=sa.null(),  # the worker leaves them as they are
                    verify_at=sa.null(),
                )
            )
        session.commit()
        db.engine().dispose()


def _free_ports() -> list[int]:
    with socket.create_server((demo.HOST, 0)) as one, socket.create_server((demo.HOST, 0)) as other:
        return [one.getsockname()[1], other.getsockname()[1]]


if __name__ == "__main__":
    main()
