"""Where secrets come from: the environment, or files as Docker and Kubernetes mount them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.errors import SecretError

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER_VARIABLE = "FLEET_SECRETS"
FOLDER = "/run/secrets"


@dataclass(frozen=True, slots=True)
class Secrets:
    """Looks secrets up, each time anew: a file that was replaced counts from the next run on.

    Args:
        environment: where a variable of the secret's name comes first, and `NAME_FILE` second.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    @property
    def folder(self) -> Path:
        """The folder with a file for each secret, for those that no variable gives."""
        return Path(self.environment.get(FOLDER_VARIABLE) or FOLDER)

    def get(self, name: str) -> str:
        """Give a secret.

        Raises:
            SecretError: it is nowhere, empty, or may not be read.
        """
        if value := self.environment.get(name):
            return value
        path = Path(self.environment.get(f"{name}_FILE") or self.folder / name)
        try:
            value = path.read_text(encoding="utf-8").strip()
        except UnicodeDecodeError:
            raise SecretError(f"The secret {name} in {path} is not written in UTF-8.") from None
        except OSError as error:
            where = f"the environment has no {name}, and {path}: {error.strerror}"
            raise SecretError(f"The secret {name} is missing: {where}.") from error
        if not value:
            raise SecretError(f"The secret {name} is empty in {path}.")
        return value

    def variables(self, *names: str) -> dict[str, str]:
        """The variables that another process needs to find these secrets, and no others."""
        wanted = [FOLDER_VARIABLE, *(form for name in names for form in (name, f"{name}_FILE"))]
        return {name: self.environment[name] for name in wanted if name in self.environment}
