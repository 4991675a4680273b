"""What lies beneath `app.core.db`: SQLite, statements, shared commits, backup."""
