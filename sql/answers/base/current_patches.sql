-- Which patches does each computer have or lack now?
--
-- device_patches keeps rows of patches that have been superseded since: a row is current where it
-- belongs to the computer's newest reading. That is the reading of its last audit, or, where the
-- table has not been read as far as that yet, the newest that there is. A computer whose list has
-- become empty has rows of older readings only, and so none here.
CREATE OR REPLACE VIEW datto_answers.current_patches AS
WITH settled AS MATERIALIZED ( -- the newest audit that has been read; hardly any device is asked for it
  SELECT (
    SELECT device."lastAuditDate"
    FROM (
      SELECT uid, "lastAuditDate" FROM devices ORDER BY "lastAuditDate" DESC NULLS LAST OFFSET 0
    ) AS device
    WHERE (
      SELECT true
      FROM device_patches AS patch
      WHERE patch."deviceUid" = device.uid AND patch."lastAuditDate" = device."lastAuditDate"
      LIMIT 1
    )
    LIMIT 1
  ) AS audit
),
behind AS MATERIALIZED ( -- devices that were audited later, and the newest reading of each
  SELECT
    device.uid,
    (
      SELECT max(patch."lastAuditDate")
      FROM device_patches AS patch
      WHERE patch."deviceUid" = device.uid
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
    computer.patch_state,
    computer.as_of::date AS today,
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
  reading.patch_state,
  datto_answers.is_patch_state_known(reading.patch_state) AS is_counted,
  patch."patchId" AS patch_id,
  patch.title,
  datto_answers.severity_name(patch.severity) AS severity,
  patch."installStatus" <> 'INSTALLED' AS is_missing,
  patch."installStatus" = 'APPROVED_PENDING' AS is_approved,
  datto_answers.day_of(patch."releaseDate") AS released,
  reading.today - datto_answers.day_of(patch."releaseDate") AS days_out
FROM reading
JOIN device_patches AS patch
  ON patch."deviceUid" = reading.device_uid
  -- IS NOT DISTINCT FROM, but so that PostgreSQL expects more than a handful of rows to be current
  AND coalesce(
    patch."lastAuditDate" = reading.audit, patch."lastAuditDate" IS NULL AND reading.audit IS NULL
  );
