-- How has the backlog of missing patches developed, day by day?
--
-- From patches_daily: the last reading of each day, all computers of the sites. Without that
-- history it is empty.
CREATE OR REPLACE VIEW datto_answers.trend_patches AS
WITH last_reading AS (
  SELECT day, max(_sdc_sync_started_at) AS _sdc_sync_started_at
  FROM patches_daily
  CROSS JOIN datto_answers.clock
  WHERE day >= clock.as_of::date - 60
  GROUP BY day
),
backlog AS (
  SELECT day, severity, "releaseDate", sum("totalDevices") AS missing
  FROM patches_daily
  JOIN last_reading USING (day, _sdc_sync_started_at)
  GROUP BY day, severity, "releaseDate"
)
SELECT
  day,
  datto_answers.severity_name(severity) AS severity,
  sum(missing)::bigint AS missing,
  coalesce(
    sum(missing) FILTER (WHERE day - datto_answers.day_of("releaseDate") > 30), 0
  )::bigint AS missing_over_30_days
FROM backlog
GROUP BY day, datto_answers.severity_name(severity)
ORDER BY day, severity;
