"""The truth about the questions that people ask of their fleet, worked out from the account itself.

It is the second way to each answer: the first leads through the API, a tap, a database and SQL. The
names and definitions are those of the project's docs/answers.md. "Now" is when any device was seen
last, because that is the newest moment that a client can know of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datto_rmm_sandbox.questions.computers import (
    antivirus_cover,
    full_disks,
    restart_due,
    silent_agents,
    software_titles,
    unsupported_systems,
    warranty,
)
from datto_rmm_sandbox.questions.fleet import Fleet
from datto_rmm_sandbox.questions.noise import noise_by_device, noise_by_monitor, noise_by_site
from datto_rmm_sandbox.questions.patching import (
    missing_patches,
    patch_ageing,
    patch_compliance,
    patch_trouble,
)
from datto_rmm_sandbox.questions.scorecard import scorecard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.records import Row

QUESTIONS: dict[str, Callable[[Fleet], Iterable[Row]]] = {
    "patch_compliance": patch_compliance,
    "patch_ageing": patch_ageing,
    "patch_trouble": patch_trouble,
    "missing_patches": missing_patches,
    "restart_due": restart_due,
    "silent_agents": silent_agents,
    "antivirus_cover": antivirus_cover,
    "warranty": warranty,
    "unsupported_systems": unsupported_systems,
    "full_disks": full_disks,
    "noise_by_monitor": noise_by_monitor,
    "noise_by_site": noise_by_site,
    "noise_by_device": noise_by_device,
    "software": software_titles,
    "scorecard": scorecard,
}
"""Each question's rows, in no particular order."""


def answers(account: Account) -> dict[str, list[Row]]:
    """The truth of every question.

    Args:
        account: The account as it is now.

    Returns:
        Rows by question.
    """
    fleet = Fleet(account)
    return {name: list(rows(fleet)) for name, rows in QUESTIONS.items()}
