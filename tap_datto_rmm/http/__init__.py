"""The general core: one request, one outcome. It knows nothing of Datto."""
