"""How the pages look: the brand, its files, and colors that people can read."""
