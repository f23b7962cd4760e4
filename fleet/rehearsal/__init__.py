"""A fleet in small: sandboxes as accounts, a PostgreSQL, Dagster; `make fleet` and the tests."""
