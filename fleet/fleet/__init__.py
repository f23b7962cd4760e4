"""Many Datto RMM accounts into one warehouse: each with its own key, schema, state and lock."""
