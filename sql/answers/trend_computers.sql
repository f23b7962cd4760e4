-- How have patching, antivirus and silence developed, day by day?
--
-- The last 90 days of devices_daily by the definitions of today, and today itself from the live
-- tables, so that the newest point is the same number as everywhere else. Without that history
-- there is today alone.
CREATE OR REPLACE VIEW datto_answers.trend_computers AS
WITH day_clock AS (
  SELECT day, max("lastSeen") AS as_of
  FROM devices_daily
  WHERE day >= (SELECT as_of::date - 90 FROM datto_answers.clock)
  GROUP BY day
),
state AS (
  SELECT
    device.day,
    datto_answers.patch_state(
      device."operatingSystem",
      coalesce(site."onDemand", false),
      device."patchStatus",
      device."lastAuditDate",
      device."lastSeen",
      day_clock.as_of
    ) AS patch_state,
    datto_answers.antivirus_state(
      device."antivirusStatus", device."lastSeen", day_clock.as_of
    ) AS antivirus_state,
    coalesce(device."lastSeen" <= day_clock.as_of - interval '14 days', true) AS is_silent
  FROM devices_daily AS device
  JOIN day_clock USING (day)
  LEFT JOIN sites AS site ON site.uid = device."siteUid"
  WHERE device."deviceClass" = 'device'
    AND device.day < (SELECT as_of::date FROM datto_answers.clock)
  UNION ALL
  SELECT as_of::date, patch_state, antivirus_state, coalesce(days_silent >= 14, true)
  FROM datto_answers.computers
),
alike AS ( -- each state is worked out once, not once for each number below
  SELECT day, patch_state, antivirus_state, is_silent, count(*) AS computers
  FROM state
  GROUP BY day, patch_state, antivirus_state, is_silent
),
total AS (
  SELECT
    day,
    sum(computers) AS computers,
    sum(computers) FILTER (WHERE patch_state = 'patched') AS patched,
    sum(computers) FILTER (WHERE datto_answers.is_patch_state_known(patch_state)) AS patch_known,
    sum(computers) FILTER (WHERE antivirus_state = 'covered') AS covered,
    sum(computers) FILTER (
      WHERE antivirus_state NOT IN ('not seen', 'no data')
    ) AS antivirus_known,
    sum(computers) FILTER (WHERE is_silent) AS silent
  FROM alike
  GROUP BY day
)
SELECT
  day,
  computers::bigint AS computers,
  coalesce(patched, 0)::bigint AS patched,
  coalesce(patch_known, 0)::bigint AS patch_known,
  datto_answers.percent(coalesce(patched, 0)::bigint, patch_known::bigint) AS compliance,
  coalesce(covered, 0)::bigint AS covered,
  coalesce(antivirus_known, 0)::bigint AS antivirus_known,
  datto_answers.percent(coalesce(covered, 0)::bigint, antivirus_known::bigint) AS cover,
  coalesce(silent, 0)::bigint AS silent
FROM total
ORDER BY day;
