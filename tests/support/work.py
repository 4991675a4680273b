"""What happens behind the pages: Stripe delivers, and the worker does what is due."""

from datetime import timedelta

import time_machine
from flask import Flask

from app import sync
from app.simulator import Simulator


def work(app: Flask, simulator: Simulator) -> None:
    """Deliver what Stripe has to tell, and do what is due now."""
    while simulator.deliver_due():
        pass
    with app.app_context():
        sync.run_until_idle()


def work_through(app: Flask, simulator: Simulator, clock: time_machine.Traveller, hours: int = 24) -> None:
    """Deliver and work for some hours, a little more slowly as they pass."""
    passed, step = timedelta(0), timedelta(seconds=2)
    while passed < timedelta(hours=hours):
        work(app, simulator)
        clock.shift(step)
        passed, step = passed + step, step * 2
    work(app, simulator)
