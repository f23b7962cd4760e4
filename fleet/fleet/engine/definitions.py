"""What Dagster loads: `dagster-daemon run -m fleet.engine.definitions`."""

import dagster as dg

from fleet.engine import housekeeping, sensors
from fleet.engine.accounts import datto_rmm
from fleet.engine.watch import watch

definitions = dg.Definitions(
    assets=[datto_rmm, housekeeping.datto_fleet],
    jobs=[sensors.sync, housekeeping.unite, housekeeping.forget],
    schedules=[housekeeping.every_hour, housekeeping.every_night],
    sensors=[sensors.accounts, sensors.hourly, watch],
)
