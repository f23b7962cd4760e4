-- Which sites made how many alerts in the last 30 days?
CREATE OR REPLACE VIEW datto_answers.noise_by_site AS
SELECT
  site_uid,
  max(site) AS site,
  count(*) AS alerts,
  count(*) FILTER (WHERE is_urgent) AS urgent,
  count(DISTINCT device_uid) AS devices,
  count(*) FILTER (WHERE has_ticket) AS tickets,
  count(*) FILTER (WHERE is_open) AS still_open
FROM datto_answers.current_alerts
WHERE is_recent
GROUP BY site_uid
ORDER BY alerts DESC, site;
