"""What every package uses: settings, the database, errors, sealed secrets, counters and files."""
