-- Which patches do the computers of each site have or lack now?
--
-- site_patches keeps the row of each status that a patch has ever had at a site: rows that a later
-- reading missed are marked as deleted, or, without deletion marks, are older than the site's
-- newest.
CREATE OR REPLACE VIEW datto_answers.current_site_patches AS
WITH reading AS (
  SELECT
    "siteUid",
    "patchId",
    title,
    severity,
    "releaseDate",
    "installStatus",
    "totalDevices",
    _sdc_sync_started_at = max(_sdc_sync_started_at) OVER (PARTITION BY "siteUid") AS is_newest
  FROM site_patches
  WHERE _sdc_deleted_at IS NULL
)
SELECT
  site.uid AS site_uid,
  coalesce(nullif(site.name, ''), '(site without a name)') AS site,
  reading."patchId" AS patch_id,
  reading.title,
  datto_answers.severity_name(reading.severity) AS severity,
  reading."installStatus" <> 'INSTALLED' AS is_missing,
  reading."installStatus" = 'APPROVED_PENDING' AS is_approved,
  datto_answers.day_of(reading."releaseDate") AS released,
  clock.as_of::date - datto_answers.day_of(reading."releaseDate") AS days_out,
  reading."totalDevices" AS computers
FROM reading
CROSS JOIN datto_answers.clock
JOIN sites AS site ON site.uid = reading."siteUid" AND site._sdc_deleted_at IS NULL
WHERE reading.is_newest;
