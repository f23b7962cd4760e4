"""The fleet on Dagster: one partition an account, spread over the hour, watched, told in a page."""
