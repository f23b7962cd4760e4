-- How does each site stand, in one row?
--
-- The same numbers as in the other answers, by the same definitions. What a stream would tell that
-- was not loaded, or has no rows at all, is null: nobody knows.
CREATE OR REPLACE VIEW datto_answers.scorecard AS
WITH loaded AS MATERIALIZED (
  SELECT
    EXISTS (SELECT FROM device_patches) AS patches,
    EXISTS (SELECT FROM device_audits) AS audits,
    EXISTS (SELECT FROM alerts) AS alerts
),
computer AS (
  SELECT
    computer.site_uid,
    count(*) FILTER (WHERE support.state = 'out of support') AS unsupported,
    count(*) FILTER (WHERE coalesce(support.state, 'unknown') = 'unknown') AS support_unknown,
    count(*) FILTER (WHERE warranty_ends < as_of::date) AS warranty_ended,
    count(*) FILTER (
      WHERE warranty_ends BETWEEN as_of::date AND as_of::date + 90
    ) AS warranty_ending,
    count(*) FILTER (WHERE warranty_ends IS NULL) AS warranty_unknown,
    bool_or(on_demand) AS on_demand
  FROM datto_answers.computers AS computer
  LEFT JOIN datto_answers.system_support AS support USING (operating_system)
  GROUP BY computer.site_uid
),
severe AS ( -- counted by FILTER: as conditions, PostgreSQL takes them for so rare that it walks an index
  SELECT
    site_uid,
    count(*) FILTER (WHERE is_severe) AS patches,
    count(DISTINCT device_uid) FILTER (WHERE is_severe) AS computers
  FROM (
    SELECT
      site_uid,
      device_uid,
      is_counted AND severity IN ('Critical', 'Important') AND days_out > 30 AS is_severe
    FROM datto_answers.current_patches
    WHERE is_missing
  ) AS missing
  GROUP BY site_uid
),
restart AS (
  SELECT site_uid, count(*) AS computers FROM datto_answers.restart_due GROUP BY site_uid
),
silent AS (
  SELECT site_uid, count(*) AS computers FROM datto_answers.silent_agents GROUP BY site_uid
),
disk AS (
  SELECT site_uid, count(*) AS nearly_full
  FROM datto_answers.disks
  WHERE free < 0.1 * size
  GROUP BY site_uid
),
alert AS (
  SELECT
    site_uid,
    count(*) FILTER (WHERE is_open) AS open,
    count(*) FILTER (WHERE is_open AND is_urgent) AS urgent
  FROM datto_answers.current_alerts
  GROUP BY site_uid
)
SELECT
  site_uid,
  patch.site,
  computer.on_demand,
  patch.computers,
  patch.patched,
  patch.known AS patch_known,
  patch.compliance,
  patch.not_seen + patch.no_data + patch.no_policy AS patch_unknown,
  patch.not_patchable,
  antivirus.covered,
  antivirus.known AS antivirus_known,
  antivirus.cover,
  antivirus.not_seen + antivirus.no_data AS antivirus_unknown,
  coalesce(restart.computers, 0) AS restart_due,
  coalesce(silent.computers, 0) AS silent,
  computer.unsupported,
  computer.support_unknown,
  computer.warranty_ending,
  computer.warranty_ended,
  computer.warranty_unknown,
  CASE WHEN loaded.patches THEN coalesce(severe.patches, 0) END AS severe_patches,
  CASE WHEN loaded.patches THEN coalesce(severe.computers, 0) END AS severe_computers,
  CASE WHEN loaded.audits THEN coalesce(disk.nearly_full, 0) END AS full_disks,
  CASE WHEN loaded.alerts THEN coalesce(alert.urgent, 0) END AS urgent_alerts,
  CASE WHEN loaded.alerts THEN coalesce(alert.open, 0) END AS open_alerts
FROM datto_answers.patch_compliance AS patch
CROSS JOIN loaded
JOIN datto_answers.antivirus_cover AS antivirus USING (site_uid)
JOIN computer USING (site_uid)
LEFT JOIN severe USING (site_uid)
LEFT JOIN restart USING (site_uid)
LEFT JOIN silent USING (site_uid)
LEFT JOIN disk USING (site_uid)
LEFT JOIN alert USING (site_uid)
ORDER BY patch.compliance NULLS LAST, patch.known DESC, patch.site;
