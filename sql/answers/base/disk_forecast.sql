-- When will a disk be full, if it goes on as in the last weeks?
--
-- A straight line through what was free at each audit of the last 30 days (disks_by_audit), where
-- that line deserves trust: 7 audits or more over 14 days or more, falling, r² above 0.5.
CREATE OR REPLACE VIEW datto_answers.disk_forecast AS
WITH reading AS MATERIALIZED ( -- each number is read once, not once for each sum over it
  SELECT
    audit."deviceUid" AS device_uid,
    audit.disk ->> 'diskIdentifier' AS disk,
    extract(epoch FROM audit."lastAuditDate" - clock.as_of)::float / 86400 AS day,
    (audit.disk ->> 'freespace')::float AS free
  FROM (
    SELECT "deviceUid", "lastAuditDate", unnest("logicalDisks") AS disk
    FROM disks_by_audit
    WHERE "lastAuditDate" > (SELECT as_of - interval '30 days' FROM datto_answers.clock)
  ) AS audit
  CROSS JOIN datto_answers.clock
)
SELECT
  device_uid,
  disk,
  count(free) AS audits,
  max(day) - min(day) AS days_observed,
  regr_slope(free, day) AS bytes_a_day,
  greatest(round((-regr_intercept(free, day) / regr_slope(free, day))::numeric), 0) AS days_to_full
FROM reading
GROUP BY device_uid, disk
HAVING count(free) >= 7
  AND max(day) - min(day) >= 14
  AND regr_slope(free, day) < 0
  AND regr_r2(free, day) > 0.5;
