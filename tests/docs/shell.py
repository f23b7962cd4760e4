"""A page's commands in one shell, as a reader types them, in a folder that stands for the clone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from demo.pipeline import MELTANO_FOLDER, OURS
from tests.commands import SECRETS, Run
from tests.docs.pages import ROOT, Block, blocks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datto_rmm_sandbox import Sandbox

PORT: Final = "8080"
"""Of the sandbox, on the pages."""
BACKGROUND: Final = "in the background"
FILE: Final = "in the file "
EXIT_CODE: Final = "exit code "
SKIPPED: Final = ("not run: ", "run by ")
SECONDS: Final = 240

CURL: Final = """\
#!/usr/bin/env python3
import sys, urllib.request
*options, url = sys.argv[1:]
data = options[options.index("-d") + 1].encode() if "-d" in options else None
sys.stdout.write(urllib.request.urlopen(url, data, timeout=30).read().decode())
"""
"""What the pages need of curl, for machines that have none."""


def free_port() -> int:
    """Find a port that nobody uses."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@dataclass
class Reader:
    """Who reads a page and types its commands."""

    folder: Path
    sandbox: Sandbox | None = None
    """The account; None: the page starts one itself."""
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        """Make the folder look like a clone after `make setup`."""
        (self.folder / ".venv").symlink_to(ROOT / ".venv")
        (self.folder / "output").mkdir()
        (self.folder / ".meltano").mkdir()
        for kind in ("extractors", "loaders"):  # what Meltano has installed in this clone
            (self.folder / ".meltano" / kind).symlink_to(MELTANO_FOLDER / kind)
        for name in ("meltano.yml", ".env.example"):
            shutil.copy(ROOT / name, self.folder)
        programs = self.folder / "bin"
        programs.mkdir()
        (programs / "curl").write_text(CURL)
        (programs / "curl").chmod(0o700)
        (programs / "target-jsonl").symlink_to(
            MELTANO_FOLDER / "loaders" / "target-jsonl" / "venv" / "bin" / "target-jsonl"
        )

    @property
    def environment(self) -> dict[str, str]:
        """What a new terminal has: nothing of the developer's own account."""
        path = [self.folder / "bin", Path(sys.executable).parent, os.environ["PATH"]]
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(OURS)},
            "PATH": os.pathsep.join(map(str, path)),
            "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
            "XDG_STATE_HOME": str(self.folder / "meltano-logs"),
        }

    def follow(self, page: str) -> Run:
        """Type a page's commands from its first to its last; each must end as the page says."""
        return self.type(script(blocks(page)))

    def type(self, text: str) -> Run:
        """Type commands, to their end; whatever they print is searched for secrets."""
        with self.start(text) as shell:
            out, err = shell.communicate(timeout=SECONDS)
        for secret in SECRETS:
            assert self.sandbox is None or secret not in out + err
        assert "Traceback" not in err, err
        return Run(shell.returncode, out, err)

    def start(self, text: str) -> subprocess.Popen[str]:
        """Type commands, in a process group as a terminal makes one."""
        bash = shutil.which("bash")
        assert bash
        return subprocess.Popen(
            [bash, "-c", self.filled_in(text)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def filled_in(self, text: str) -> str:
        """Put the account's address and key where a reader puts theirs."""
        if self.sandbox is None:
            return text.replace(PORT, str(self.port))
        given = self.sandbox.settings
        for name in ("api_key", "api_secret"):
            text = text.replace(f'"{name}": "..."', f'"{name}": "{given[name]}"')
        text = text.replace('"platform": "merlot"', f'"api_url": "{given["api_url"]}"')
        return text.replace("cp .env.example .env", f"cat > .env <<'END'\n{dotenv(given)}END\ntrue")


def dotenv(settings: dict[str, str]) -> str:
    """Say the settings as a reader fills them into `.env`."""
    return "".join(f"TAP_DATTO_RMM_{name.upper()}={value}\n" for name, value in settings.items())


def script(typed: Iterable[Block]) -> str:
    """Put blocks of commands together; it stops at the first that does not end as it should."""
    parts = ["set -e", "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT"]
    for block in typed:
        text = block.text
        if block.mark.startswith(SKIPPED):
            continue
        if block.mark == BACKGROUND:
            text = f"{text.rstrip()} > background.log 2>&1 &\n{waiting()}"
        elif block.mark.startswith(FILE):
            name = block.mark.removeprefix(FILE)
            text = f"cat > {name} <<'END OF FILE'\n{text}END OF FILE\nchmod +x {name}\n./{name}"
        elif block.mark.startswith(EXIT_CODE):
            wanted = block.mark.removeprefix(EXIT_CODE)
            text = f"set +e\n{text}code=$?\nset -e\ntest $code = {wanted}"
        parts += [f"echo '== {block}' >&2", text.rstrip()]
    return "\n".join(parts) + "\n"


def waiting() -> str:
    """Wait until the sandbox listens."""
    return f"until (: < /dev/tcp/127.0.0.1/{PORT}) 2> /dev/null; do sleep 0.1; done"
