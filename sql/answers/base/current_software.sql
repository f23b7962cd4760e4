-- Which software is on each computer now?
--
-- device_software keeps every row that it ever had: a title that was uninstalled is simply missing
-- from the computer's next audit. A row is current by the rule of current_patches.
CREATE OR REPLACE VIEW datto_answers.current_software AS
WITH settled AS MATERIALIZED ( -- the newest audit that has been read; hardly any device is asked for it
  SELECT (
    SELECT device."lastAuditDate"
    FROM (
      SELECT uid, "lastAuditDate" FROM devices ORDER BY "lastAuditDate" DESC NULLS LAST OFFSET 0
    ) AS device
    WHERE (
      SELECT true
      FROM device_software AS software
      WHERE software."deviceUid" = device.uid AND software."lastAuditDate" = device."lastAuditDate"
      LIMIT 1
    )
    LIMIT 1
  ) AS audit
),
behind AS MATERIALIZED ( -- devices that were audited later, and the newest reading of each
  SELECT
    device.uid,
    (
      SELECT max(software."lastAuditDate")
      FROM device_software AS software
      WHERE software."deviceUid" = device.uid
    ) AS audit
  FROM devices AS device
  CROSS JOIN settled
  WHERE (device."lastAuditDate" <= settled.audit) IS NOT TRUE
),
read_until AS MATERIALIZED (
  SELECT greatest((SELECT audit FROM settled), (SELECT max(audit) FROM behind)) AS audit
),
reading AS MATERIALIZED (
  SELECT
    computer.device_uid,
    computer.site_uid,
    computer.site,
    computer.computer,
    CASE
      WHEN computer.last_audit <= read_until.audit THEN computer.last_audit
      ELSE behind.audit
    END AS audit
  FROM datto_answers.computers AS computer
  CROSS JOIN read_until
  LEFT JOIN behind ON behind.uid = computer.device_uid
)
SELECT
  reading.device_uid,
  reading.site_uid,
  reading.site,
  reading.computer,
  software.name,
  software.version,
  software."lastAuditDate" AS read_on
FROM reading
JOIN device_software AS software
  ON software."deviceUid" = reading.device_uid
  -- IS NOT DISTINCT FROM, but so that PostgreSQL expects more than a handful of rows to be current
  AND coalesce(
    software."lastAuditDate" = reading.audit, software."lastAuditDate" IS NULL AND reading.audit IS NULL
  );
