"""`python -m tap_datto_rmm.doctor` is the command `tap-datto-rmm-doctor`."""

from tap_datto_rmm.doctor.cli import main

main()
