"""Facts of the world: countries, currencies, tax ids, and the order of names."""
