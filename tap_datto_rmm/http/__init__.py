"""The general core: one request, one outcome. It knows no vendor."""
