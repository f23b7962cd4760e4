"""Singer tap for the Datto RMM API v2."""
