"""The command `tap-datto-rmm-select`: a catalog of what one names, without Meltano."""
