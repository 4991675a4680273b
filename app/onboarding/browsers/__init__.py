"""The browser in front of us: what it asks about, its name in a cookie, and the page around it."""
