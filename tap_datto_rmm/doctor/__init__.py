"""The command `tap-datto-rmm-doctor`: whether a sync would work, and what it would cost."""
