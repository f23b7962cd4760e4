"""Opens psql on what `make demo` left in PostgreSQL, and stops the server when psql ends."""

from __future__ import annotations

import os
import subprocess
import sys

from demo.pipeline import SCHEMA, alone_in_this_clone
from demo.postgres import DATABASE, HOST, USER, Postgres, PostgresError, psql
from demo.run import SERVER


def main() -> int:
    """Let the user look around.

    Returns:
        The exit code of psql, or 1 where there is nothing to look at.
    """
    if not (SERVER / "data").exists():
        print("There is no database yet: run `make demo` first.", file=sys.stderr)
        return 1
    try:
        with alone_in_this_clone(), Postgres(SERVER) as postgres:
            print(f"Until you leave psql (\\q), other programs find it as\n{postgres.uri}\n")
            command = [
                str(psql()),
                f"--host={HOST}",
                f"--port={postgres.port}",
                f"--username={USER}",
            ]
            environment = {
                **os.environ,
                "PGOPTIONS": f"-c search_path=datto_answers,{SCHEMA}",
                "PGPASSWORD": postgres.password,
            }
            done = subprocess.run([*command, *sys.argv[1:], DATABASE], env=environment, check=False)
            return done.returncode
    except PostgresError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
