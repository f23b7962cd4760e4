-- Which software is on each computer now?
--
-- device_software keeps every row that it ever had: a title that was uninstalled is simply missing
-- from the computer's next audit. A row is current by the rule of current_patches.
CREATE OR REPLACE VIEW datto_answers.current_software AS
WITH read_until AS MATERIALIZED (
  SELECT max("lastAuditDate") AS audit FROM device_software
),
reading AS MATERIALIZED (
  SELECT
    computer.device_uid,
    computer.site_uid,
    computer.site,
    computer.computer,
    CASE
      WHEN computer.last_audit <= read_until.audit THEN computer.last_audit
      ELSE (
        SELECT max(software."lastAuditDate")
        FROM device_software AS software
        WHERE software."deviceUid" = computer.device_uid
      )
    END AS audit
  FROM datto_answers.computers AS computer
  CROSS JOIN read_until
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
