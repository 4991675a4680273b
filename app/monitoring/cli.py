"""`gangway monitoring …`: what Prometheus and Grafana read."""

from pathlib import Path

import click

HERE = Path(__file__).parent

group = click.Group("monitoring", help="Print alert rules and a dashboard.")


@group.command()
def alerts() -> None:
    """Print alert rules for Prometheus, as YAML."""
    click.echo((HERE / "alerts.yml").read_text(), nl=False)


@group.command()
def dashboard() -> None:
    """Print a dashboard for Grafana, as JSON."""
    click.echo((HERE / "dashboard.json").read_text(), nl=False)
