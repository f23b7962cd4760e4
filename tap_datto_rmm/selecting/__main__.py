"""`python -m tap_datto_rmm.selecting` is the command `tap-datto-rmm-select`."""

from tap_datto_rmm.selecting.cli import main

if __name__ == "__main__":
    main()
