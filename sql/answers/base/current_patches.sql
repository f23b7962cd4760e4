-- Which patches does each computer have or lack now?
--
-- device_patches keeps rows of patches that have been superseded since: a row is current where it
-- belongs to the computer's newest reading. That is the reading of its last audit, or, where the
-- table has not been read as far as that yet, the newest that there is. A computer whose list has
-- become empty has rows of older readings only, and so none here.
CREATE OR REPLACE VIEW datto_answers.current_patches AS
WITH read_until AS MATERIALIZED (
  SELECT max("lastAuditDate") AS audit FROM device_patches
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
      ELSE (
        SELECT max(patch."lastAuditDate")
        FROM device_patches AS patch
        WHERE patch."deviceUid" = computer.device_uid
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
