"""How the web server listens, and how its processes receive and answer requests."""
