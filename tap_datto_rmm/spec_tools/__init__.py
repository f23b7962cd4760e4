"""The command `tap-datto-rmm-spec`: fetch, compare and prove the OpenAPI document.

For maintainers, and for users who set `spec_path`; nothing in the extraction path imports it.
"""
