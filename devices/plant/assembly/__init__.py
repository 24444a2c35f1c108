"""From checked tables to a `Plant`: how tables fit together, indices instead of names, units resolved."""
