"""Replacing a file in one step."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from tap_datto_rmm.errors import SpecError


def replace(file: Path, content: bytes) -> None:
    """Replace a file in one step: readers see the old one or the new one.

    Raises:
        SpecError: it cannot be written; it is as before.
    """
    temporary = None
    try:
        target = file.resolve()
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        Path(temporary).chmod(mode)
        Path(temporary).replace(target)
    except OSError as error:
        if temporary:
            with suppress(OSError):
                Path(temporary).unlink()
        raise SpecError(
            f"Cannot write {file}: {error.strerror}. Nothing was changed; name another file with "
            "`--output`."
        ) from None
